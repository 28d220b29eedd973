package schema

import "encoding/binary"

// Markers of a JPEG file (ITU-T T.81 table B.1).
const (
	markerSOI  = 0xd8 // start of image
	markerEOI  = 0xd9 // end of image
	markerSOS  = 0xda // start of scan
	markerRST0 = 0xd0 // first of eight restart markers
	markerRST7 = 0xd7
	markerTEM  = 0x01
	markerAPP1 = 0xe1 // application data, among them Exif
)

// scanned is what the markers of a JPEG tell without decoding it.
type scanned struct {
	orientation int  // Exif orientation, 1 to 8; 1 if there is none
	trailing    bool // bytes follow the end of the image
}

// scanJPEG walks over the marker segments (ITU-T T.81 section B.1). It returns
// the rule that the file breaks, or "". A file that ends without its end marker
// is refused here; what is inside the segments is the decoder's to judge.
//
//	FFD8 (SOI)   FFxx length data ...   FFDA length header entropy-coded ...   FFD9 (EOI)
func scanJPEG(b []byte) (scanned, string) {
	s := scanned{orientation: 1}
	if len(b) < 4 || b[0] != 0xff || b[1] != markerSOI {
		return s, rulePhotoFormat
	}
	scans := 0
	for i := 2; ; {
		// A marker may be preceded by any number of fill bytes.
		if i >= len(b) || b[i] != 0xff {
			return s, rulePhotoFormat
		}
		for i < len(b) && b[i] == 0xff {
			i++
		}
		if i >= len(b) {
			return s, rulePhotoFormat
		}
		marker := b[i]
		i++
		switch {
		case marker == markerEOI:
			if scans == 0 {
				return s, rulePhotoFormat
			}
			s.trailing = i < len(b)
			return s, ""
		case marker == 0 || marker == markerSOI:
			return s, rulePhotoFormat
		case marker == markerTEM || marker >= markerRST0 && marker <= markerRST7:
			continue
		}
		if i+2 > len(b) {
			return s, rulePhotoFormat
		}
		length := int(binary.BigEndian.Uint16(b[i:]))
		if length < 2 || i+length > len(b) {
			return s, rulePhotoFormat
		}
		data := b[i+2 : i+length]
		i += length
		switch marker {
		case markerAPP1:
			if o, ok := exifOrientation(data); ok {
				s.orientation = o
			}
		case markerSOS:
			if scans++; scans > maxScans {
				return s, rulePhotoScans
			}
			i = skipEntropy(b, i)
		}
	}
}

// skipEntropy returns where the entropy-coded data after a scan header ends: at
// the next marker that is neither a stuffed zero nor a restart.
func skipEntropy(b []byte, i int) int {
	for ; i+1 < len(b); i++ {
		if next := b[i+1]; b[i] == 0xff && next != 0 && next != 0xff && (next < markerRST0 || next > markerRST7) {
			return i
		}
	}
	return len(b)
}
