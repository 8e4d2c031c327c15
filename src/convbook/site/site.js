// Corrections to the theme.

// The theme gives boxes that scroll sideways a tab stop, but not those that are folded away when the page is loaded.
// It looks again when the window's size changes; so let it look when something is unfolded, too.
addEventListener("click", (event) => {
  if (event.target.closest(".toggle, summary")) dispatchEvent(new Event("resize"));
});

// The search shows a few lines of each page that it finds, which browsers don't let it read from files.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
