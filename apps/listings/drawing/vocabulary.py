"""The few words of our own that stand in images, by language; where one is missing the image says less, never another language.

Measures have their names from here too, so that a diagram needs no translation by the seller.
"""

_WORDS: dict[str, dict[str, str]] = {
    "en": {"range": "In this range", "not_stated": "– not stated", "not_to_scale": "Seen at an angle: not to scale",
           "width": "Width", "height": "Height", "depth": "Depth", "length": "Length", "diameter": "Diameter",
           "card": "Bank card, to scale", "yes": "Yes", "no": "No", "measures": "Dimensions"},
    "de": {"range": "In dieser Reihe", "not_stated": "– keine Angabe", "not_to_scale": "Schräg gesehen: nicht maßstäblich",
           "width": "Breite", "height": "Höhe", "depth": "Tiefe", "length": "Länge", "diameter": "Durchmesser",
           "card": "Bankkarte, maßstäblich", "yes": "Ja", "no": "Nein", "measures": "Maße"},
    "fr": {"range": "Dans cette gamme", "not_stated": "– non indiqué", "not_to_scale": "Vue en biais : pas à l’échelle",
           "width": "Largeur", "height": "Hauteur", "depth": "Profondeur", "length": "Longueur", "diameter": "Diamètre",
           "card": "Carte bancaire, à l’échelle", "yes": "Oui", "no": "Non", "measures": "Dimensions"},
    "es": {"range": "En esta gama", "not_stated": "– no indicado", "not_to_scale": "Visto en ángulo: no a escala",
           "width": "Ancho", "height": "Alto", "depth": "Fondo", "length": "Largo", "diameter": "Diámetro",
           "card": "Tarjeta bancaria, a escala", "yes": "Sí", "no": "No", "measures": "Medidas"},
    "it": {"range": "In questa gamma", "not_stated": "– non indicato", "not_to_scale": "Visto di scorcio: non in scala",
           "width": "Larghezza", "height": "Altezza", "depth": "Profondità", "length": "Lunghezza", "diameter": "Diametro",
           "card": "Carta bancaria, in scala", "yes": "Sì", "no": "No", "measures": "Dimensioni"},
    "ja": {"range": "シリーズ比較", "not_stated": "– 記載なし", "not_to_scale": "斜めからの写真のため、縮尺は異なります",
           "width": "幅", "height": "高さ", "depth": "奥行き", "length": "長さ", "diameter": "直径",
           "card": "カード（実寸比）", "yes": "はい", "no": "いいえ", "measures": "サイズ"},
    "ar": {"range": "ضمن هذه المجموعة", "not_stated": "– غير مذكور", "not_to_scale": "منظر مائل: ليس بمقياس دقيق",
           "width": "العرض", "height": "الارتفاع", "depth": "العمق", "length": "الطول", "diameter": "القطر",
           "card": "بطاقة مصرفية بالمقياس", "yes": "نعم", "no": "لا", "measures": "المقاسات"},
    "he": {"range": "בסדרה הזאת", "not_stated": "– לא צוין", "not_to_scale": "צולם בזווית: לא בקנה מידה",
           "width": "רוחב", "height": "גובה", "depth": "עומק", "length": "אורך", "diameter": "קוטר",
           "card": "כרטיס אשראי, בקנה מידה", "yes": "כן", "no": "לא", "measures": "מידות"},
}  # fmt: skip


def word(name: str, locale: str) -> str:
    """Empty where the language has none."""
    return _WORDS.get(locale.partition("-")[0].lower(), {}).get(name, "")
