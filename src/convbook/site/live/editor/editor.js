// The code editor of a cell: CodeMirror 6, coloured with the page's own classes, so that it is light and dark as the page.

import { defaultKeymap, history, historyKeymap, indentLess, indentMore } from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import { bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { EditorState, Prec, StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView, drawSelection, keymap } from "@codemirror/view";
import { tagHighlighter, tags } from "@lezer/highlight";

// The names of Pygments, whose colours the page has.
const colours = tagHighlighter([
  { tag: tags.comment, class: "c1" },
  { tag: [tags.string, tags.special(tags.string), tags.docString], class: "s2" },
  { tag: [tags.number, tags.integer, tags.float], class: "mi" },
  { tag: [tags.bool, tags.null], class: "kc" },
  { tag: [tags.keyword, tags.controlKeyword, tags.definitionKeyword, tags.modifier], class: "k" },
  { tag: tags.moduleKeyword, class: "kn" },
  { tag: tags.operatorKeyword, class: "ow" },
  { tag: [tags.operator, tags.arithmeticOperator, tags.compareOperator, tags.definitionOperator], class: "o" },
  { tag: tags.function(tags.definition(tags.variableName)), class: "nf" },
  { tag: tags.definition(tags.className), class: "nc" },
  { tag: tags.self, class: "bp" },
  { tag: tags.meta, class: "nd" },
]);

const setMark = StateEffect.define(); // the line where an error arose, or null
const marked = StateField.define({
  create: () => Decoration.none,
  update(marks, transaction) {
    let now = marks.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (!effect.is(setMark)) continue;
      const line = effect.value && effect.value <= transaction.state.doc.lines && transaction.state.doc.line(effect.value);
      now = line ? Decoration.set([Decoration.line({ class: "cbl-line" }).range(line.from)]) : Decoration.none;
    }
    return now;
  },
  provide: (field) => EditorView.decorations.from(field),
});

// Tab indents, whole lines where several are chosen; Shift-Tab takes back; Escape leaves the editor.
const tab = ({ state, dispatch }) =>
  (state.selection.ranges.some((range) => !range.empty) ? indentMore : insertSpaces)({ state, dispatch });
function insertSpaces({ state, dispatch }) {
  const { head } = state.selection.main;
  const column = head - state.doc.lineAt(head).from;
  dispatch(state.update(state.replaceSelection(" ".repeat(4 - (column % 4))), { scrollIntoView: true, userEvent: "input" }));
  return true;
}

export function open({ parent, code, label, run, changed, leave }) {
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: code,
      extensions: [
        Prec.highest(keymap.of([
          { key: "Shift-Enter", run: () => { run(); return true; } },
          { key: "Mod-Enter", run: () => { run(); return true; } },
          { key: "Escape", run: () => { leave(); return true; } },
          { key: "Tab", run: tab, shift: indentLess },
        ])),
        history(), drawSelection(), bracketMatching(), indentOnInput(), indentUnit.of("    "), python(), marked,
        syntaxHighlighting(colours),
        EditorView.contentAttributes.of({
          "aria-label": label, "aria-description": "Escape leaves the editor, Shift-Enter runs the cell",
          tabindex: "0", autocapitalize: "off", autocorrect: "off", spellcheck: "false", translate: "no",
        }),
        EditorView.updateListener.of((update) => { if (update.docChanged) changed(update.state.doc.toString()); }),
        keymap.of([...defaultKeymap, ...historyKeymap]),
      ],
    }),
  });
  return {
    focus: () => view.focus(),
    mark: (line) => view.dispatch({ effects: setMark.of(line) }),
    set: (text) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } }),
    view,
  };
}
