// Corrections to the theme.

// The theme gives boxes that scroll sideways a tab stop, but not those that are folded away when
// the page is loaded. It looks again when the window's size changes; so let it look when something
// is unfolded, too.
addEventListener("click", (event) => {
  if (event.target.closest(".toggle, summary")) dispatchEvent(new Event("resize"));
});

// The search shows a few lines of each page that it finds, which browsers let it read neither from
// files nor from a frame without rights of its own.
if (location.protocol === "file:" || self.origin === "null") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

// Paper is white: a dark page is printed as a light one.
let themeOnScreen = null;
matchMedia("print").addEventListener("change", ({ matches }) => {
  const page = document.documentElement;
  if (matches && page.dataset.theme === "dark") [themeOnScreen, page.dataset.theme] = ["dark", "light"];
  if (!matches && themeOnScreen) [page.dataset.theme, themeOnScreen] = [themeOnScreen, null];
});

// The contents beside a page mark the section that is being read: the last one whose heading is at
// the top of the window, or above. The theme's own mark stays behind, on sections that have passed.
const links = [...document.querySelectorAll(".bd-toc-nav a.nav-link")];
if (links.length) {
  document.body.removeAttribute("data-bs-spy");
  const headings = links.map((link) => document.getElementById(decodeURIComponent(link.hash.slice(1))));
  let waiting = false;
  const mark = () => {
    waiting = false;
    const top = (document.querySelector(".bd-header-article, .header-article")?.offsetHeight ?? 0) + 60;
    const passed = headings.findLastIndex((heading) => heading && heading.getBoundingClientRect().top <= top);
    const atEnd = innerHeight + scrollY >= document.documentElement.scrollHeight - 2;
    const now = links[atEnd ? links.length - 1 : Math.max(passed, 0)];
    for (const link of links) {
      // A section is marked together with the one that it is a part of.
      const marked = link === now || link.parentElement.contains(now);
      link.classList.toggle("active", marked);
      link.parentElement.classList.toggle("active", marked);
    }
  };
  const soon = () => {
    if (!waiting) requestAnimationFrame(mark);
    waiting = true;
  };
  addEventListener("scroll", soon, { passive: true });
  addEventListener("resize", soon);
  addEventListener("load", soon);
}
