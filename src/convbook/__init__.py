"""The mathematics and the live figures of the CNN workbook."""
