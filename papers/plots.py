"""Charts on paper, drawn as vectors. What each shows stands beside it in words."""

from collections.abc import Sequence

from papers.blocks import Bar, Bars, Curve, Lines, Spread, Spreads
from papers.sheet import BODY, INK, QUIET, RULE, SHADE, SIDE, SOFT, STRONG, WIDTH, Colour, Sheet, ascent, leading

_LABEL, _TOLD, _SIZE = 52.0, 36.0, 8.0
_TRACK = WIDTH - _LABEL - _TOLD - 4
_LINE_HEIGHT = 62.0
_INKS: tuple[Colour, ...] = (STRONG, QUIET, (47, 158, 68), (214, 115, 13))


def draw_bars(sheet: Sheet, bars: Bars) -> None:
    """Draw a chart of bars from here on; over the foot of a page it goes on overleaf."""
    top = bars.top or max((bar.value or 0 for bar in bars.bars), default=0) or 1
    _title(sheet, bars.title)
    for bar in bars.bars:
        lines = sheet.letters.lines(bar.label, _LABEL - 3, size=_SIZE)
        told = sheet.letters.lines(bar.told, _TOLD, size=_SIZE)
        height = max(len(lines), len(told)) * leading(_SIZE) + 0.8
        sheet.room(height)
        with sheet.tags.leaf("P"):
            _beside(sheet, lines, told)
        with sheet.tags.beside():
            _bar(sheet, bar, top)
        sheet.y += height
    sheet.skip(3)


def _bar(sheet: Sheet, bar: Bar, top: float) -> None:
    x, y, high = SIDE + _LABEL, sheet.y + 0.9, leading(_SIZE) - 1.4
    sheet.fill(x, y, _TRACK, high, SHADE)
    if bar.value is None:
        for step in range(1, int(_TRACK / 3)):
            sheet.line(x + step * 3, y + high, x + step * 3 + 1.5, y, ink=RULE)
    elif bar.value > 0:
        sheet.fill(x, y, _TRACK * min(bar.value / top, 1), high, STRONG)


def draw_spreads(sheet: Sheet, spreads: Spreads) -> None:
    """Draw a chart of spreads from here on, all on one scale that begins at the least."""
    known = [each for spread in spreads.spreads for each in (spread.low, spread.middle, spread.high)]
    numbers = [each for each in known if each is not None]
    low, high = (min([*numbers, 0]), max([*numbers, 0])) if numbers else (0, 1)
    _title(sheet, spreads.title)
    for spread in spreads.spreads:
        lines = sheet.letters.lines(spread.label, _LABEL - 3, size=_SIZE)
        told = sheet.letters.lines(spread.told, _TOLD, size=_SIZE)
        height = max(len(lines), len(told)) * leading(_SIZE) + 0.8
        sheet.room(height)
        with sheet.tags.leaf("P"):
            _beside(sheet, lines, told)
        with sheet.tags.beside():
            _spread(sheet, spread, low, (high - low) or 1)
        sheet.y += height
    sheet.skip(3)


def _spread(sheet: Sheet, spread: Spread, low: float, long: float) -> None:
    x, y, high = SIDE + _LABEL, sheet.y + 0.9, leading(_SIZE) - 1.4
    sheet.fill(x, y + high / 2 - 0.1, _TRACK, 0.2, RULE)
    if spread.low is not None and spread.high is not None:
        begin = x + _TRACK * (spread.low - low) / long
        sheet.fill(begin, y + 0.5, max(_TRACK * (spread.high - spread.low) / long, 0.4), high - 1, SOFT)
    if spread.middle is not None:
        sheet.fill(x + _TRACK * (spread.middle - low) / long - 0.4, y, 0.8, high, STRONG)


def draw_lines(sheet: Sheet, lines: Lines) -> None:
    """Draw a chart of lines with its scale and names, and below it what it shows in words."""
    told = sheet.letters.lines(lines.told, WIDTH, size=_SIZE)
    sheet.room(_LINE_HEIGHT + (2 + min(len(told), 6)) * leading(BODY))
    _title(sheet, lines.title)
    points = [point for curve in lines.curves for point in curve.points]
    highs = [high for curve in lines.curves for _, high in curve.band]
    right = max((x for x, _ in points), default=1) or 1
    top = _round_up(max([y for _, y in points] + highs, default=1) or 1)
    with sheet.tags.leaf("Figure", f"{lines.title}. {lines.told}"):
        _frame(sheet, top)
        for curve in lines.curves:
            _band(sheet, curve, right, top)
        for number, curve in enumerate(lines.curves):
            _curve(sheet, curve, _INKS[number % len(_INKS)], right, top)
        for x, name in lines.x_names:
            place = SIDE + 12 + (WIDTH - 12) * x / right
            wide = sheet.letters.width(sheet.letters.clean(name), "plain", 7)
            place = min(max(place - wide / 2, SIDE + 12), SIDE + WIDTH - wide)
            sheet.write(place, sheet.y + _LINE_HEIGHT - 3.5, sheet.letters.clean(name), size=7, ink=QUIET)
    sheet.y += _LINE_HEIGHT
    _names(sheet, lines.curves)
    sheet.text(told, size=_SIZE, ink=QUIET)
    sheet.skip(3)


def _frame(sheet: Sheet, top: float) -> None:
    for step in range(5):
        y = sheet.y + _LINE_HEIGHT - 8 - (_LINE_HEIGHT - 12) * step / 4
        sheet.line(SIDE + 12, y, SIDE + WIDTH, y, ink=RULE, width=0.15)
        sheet.write(SIDE, y + 1, f"{top * step / 4:,.10g}", size=7, ink=QUIET, width=10, align="right")


def _band(sheet: Sheet, curve: Curve, right: float, top: float) -> None:
    if not curve.band:
        return
    around = list(zip(curve.points, curve.band, strict=True))
    lower = [_at(sheet, x, low, right, top) for (x, _), (low, _) in around]
    upper = [_at(sheet, x, high, right, top) for (x, _), (_, high) in reversed(around)]
    sheet.pdf.set_fill_color(*SOFT)
    sheet.pdf.polygon([*lower, *upper], style="F")


def _curve(sheet: Sheet, curve: Curve, ink: Colour, right: float, top: float) -> None:
    pdf = sheet.pdf
    pdf.set_draw_color(*ink)
    pdf.set_line_width(0.5)
    if curve.dashed:
        pdf.set_dash_pattern(dash=1.6, gap=1.2)
    if len(curve.points) > 1:
        pdf.polyline([_at(sheet, x, y, right, top) for x, y in curve.points])
    pdf.set_dash_pattern()


def _at(sheet: Sheet, x: float, y: float, right: float, top: float) -> tuple[float, float]:
    """Return where a value lies on the page."""
    return SIDE + 12 + (WIDTH - 12) * x / right, sheet.y + _LINE_HEIGHT - 8 - (_LINE_HEIGHT - 12) * y / top


def _names(sheet: Sheet, curves: Sequence[Curve]) -> None:
    """Write below a chart which line is which."""
    with sheet.tags.leaf("P"):
        x = SIDE
        for number, curve in enumerate(curves):
            name = sheet.letters.clean(curve.name) + (" (dashed)" if curve.dashed else "")
            wide = sheet.letters.width(name, "plain", _SIZE) + 16
            if x > SIDE and x + wide > SIDE + WIDTH:
                x, sheet.y = SIDE, sheet.y + leading(_SIZE)
            sheet.fill(x, sheet.y + 2, 6, 0.8, _INKS[number % len(_INKS)])
            sheet.write(x + 8, sheet.y + ascent(_SIZE), name, size=_SIZE)
            x += wide
    sheet.y += leading(_SIZE) + 1


def _title(sheet: Sheet, title: str) -> None:
    if title:
        sheet.room(5 * leading(BODY))
        sheet.text(sheet.letters.lines(title, WIDTH, face="bold", size=BODY), face="bold")
        sheet.y += 0.8


def _beside(sheet: Sheet, lines: Sequence[str], told: Sequence[str]) -> None:
    """Write the label at the left of a drawing and its words at the right, so that they are read as one line."""
    for place, texts in ((SIDE, lines), (SIDE + WIDTH - _TOLD, told)):
        for number, line in enumerate(texts):
            y = sheet.y + ascent(_SIZE) + number * leading(_SIZE)
            sheet.write(place, y, line, size=_SIZE, ink=INK)


def _round_up(value: float) -> float:
    """Return the next number above that divides well by four."""
    size = 1.0
    while size < value / 1000:
        size *= 10
    while size * 0.04 > value:
        size /= 10
    return next(size * times for times in (0.04, 0.1, 0.2, 0.4, 1, 2, 4, 10, 20, 40, 100, 200, 400, 1000) if
                size * times >= value)  # fmt: skip
