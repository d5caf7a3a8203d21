"""Tables as Markdown, and figures with their spread."""
import statistics


def spread(values, digits=2):
    """Median (lowest-highest)."""
    middle = f'{statistics.median(values):.{digits}f}'
    if len(values) == 1:
        return middle
    return f'{middle} ({min(values):.{digits}f}-{max(values):.{digits}f})'


def table(heading, rows):
    """A table; the first row is its head."""
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]

    def line(cells):
        return '| ' + ' | '.join(cell.ljust(width) for cell, width in zip(cells, widths)) + ' |'
    print(f'\n{heading}\n')
    print(line(rows[0]))
    print('|' + '|'.join('-' * (width + 2) for width in widths) + '|')
    for row in rows[1:]:
        print(line(row))
    print(flush=True)


def progress(text):
    print(f'  {text}', flush=True)
