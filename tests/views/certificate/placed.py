"""The position of the seal on a page."""

from weasyprint import CSS, HTML

from models.certificate.fonts import STYLE


def seal_of(html: str) -> tuple[float, ...]:
    """Box of the seal on the last page: left, top, right, bottom, in millimetres."""
    document = HTML(string=html).render(stylesheets=[CSS(filename=STYLE)])
    return tuple(edge * 25.4 / 96 for edge in document.pages[-1].anchors["seal"])
