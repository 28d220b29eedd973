package schema

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/draw"
)

// exifOrientation reads the orientation tag from the data of an APP1 segment
// (Exif 2.32 sections 4.5.4 and 4.6.4: tag 0x0112, a SHORT in the first IFD).
func exifOrientation(data []byte) (int, bool) {
	tiff, ok := bytes.CutPrefix(data, []byte("Exif\x00\x00"))
	if !ok || len(tiff) < 8 {
		return 0, false
	}
	var order binary.ByteOrder = binary.BigEndian
	switch string(tiff[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
	default:
		return 0, false
	}
	at := uint64(order.Uint32(tiff[4:]))
	if at+2 > uint64(len(tiff)) {
		return 0, false
	}
	entries := tiff[at+2:]
	for range order.Uint16(tiff[at:]) {
		if len(entries) < 12 {
			return 0, false
		}
		const short = 3
		if order.Uint16(entries) == 0x0112 && order.Uint16(entries[2:]) == short && order.Uint32(entries[4:]) == 1 {
			o := int(order.Uint16(entries[8:]))
			return o, o >= 1 && o <= 8
		}
		entries = entries[12:]
	}
	return 0, false
}

// upright turns a picture as its Exif orientation says.
func upright(src image.Image, orientation int) image.Image {
	if orientation == 1 {
		return src
	}
	b := src.Bounds()
	w, h := b.Dx(), b.Dy()
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	if orientation >= 5 {
		dst = image.NewRGBA(image.Rect(0, 0, h, w))
	}
	row := image.NewRGBA(image.Rect(0, 0, w, 1))
	for y := range h {
		draw.Draw(row, row.Bounds(), src, image.Pt(b.Min.X, b.Min.Y+y), draw.Src)
		for x := range w {
			dx, dy := turned(orientation, x, y, w, h)
			copy(dst.Pix[dst.PixOffset(dx, dy):], row.Pix[4*x:4*x+4])
		}
	}
	return dst
}

// turned returns where a pixel of a stored picture of w by h belongs (Exif 2.32
// section 4.6.4: which sides of the scene are the first row and first column).
func turned(orientation, x, y, w, h int) (int, int) {
	switch orientation {
	case 2: // mirrored
		return w - 1 - x, y
	case 3: // half a turn
		return w - 1 - x, h - 1 - y
	case 4: // mirrored, half a turn
		return x, h - 1 - y
	case 5: // mirrored along the falling diagonal
		return y, x
	case 6: // needs a quarter turn to the right
		return h - 1 - y, x
	case 7: // mirrored along the rising diagonal
		return h - 1 - y, w - 1 - x
	case 8: // needs a quarter turn to the left
		return y, w - 1 - x
	}
	return x, y
}
