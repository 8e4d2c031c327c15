"""Which cells of a page must have run before another: those that make the names it uses."""

import builtins
import symtable


def needed(codes, known, stale=()):
    """Return the positions of the cells to run before the last one, from the top.

    A name comes from the last cell above that binds it, or else, as a function may use it, from the
    first one below. What a cell changes without binding it,
    such as the weights of a network, is not seen: this serves exercises, which need functions and
    data, and not what a whole chapter has led to.

    Parameters
    ----------
    codes : list of str
        The code of the cells from the top to the one that shall run; "" leaves one out.
    known : iterable of str
        The names that there are already.
    stale : iterable of int
        The positions of cells whose code is not the one that has run.

    Returns
    -------
    list of int
    """
    cells = [names(code) for code in codes]
    known = set(known).union(vars(builtins)).difference(*(cells[i][1] for i in stale))
    found, waiting = set(), [len(codes) - 1]
    while waiting:
        position = waiting.pop()
        read, bound = cells[position]
        for name in read - bound - known:
            makers = [i for i in range(len(codes) - 1) if name in cells[i][1] and i != position]
            above = [i for i in makers if i < position]
            for maker in above[-1:] or makers[:1]:
                if maker not in found:
                    found.add(maker)
                    waiting.append(maker)
    return sorted(found)


def names(code):
    """Return the global names that code reads, and those that it binds, as two sets."""
    try:
        whole = symtable.symtable(code, "<cell>", "exec")
    except SyntaxError:
        return set(), set()
    bound = {
        each.get_name() for each in whole.get_symbols() if each.is_assigned() or each.is_imported()
    }
    read, tables = set(), [whole]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        read |= {
            each.get_name()
            for each in table.get_symbols()
            if each.is_referenced() and (table is whole or each.is_global())
        }
    return read, bound
