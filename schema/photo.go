package schema

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"log/slog"
)

const (
	// maxPhoto is one byte more than the longest photo: it must be "less than
	// 500KB" [V issuing guide], taken as 500,000 bytes [I].
	maxPhoto = 500_000
	// maxSide bounds width and height: a decoder allocates by the declared size,
	// 16 million pixels being the most it may be asked for.
	maxSide = 4000
	// maxScans bounds the passes of a progressive JPEG. Each pass visits every
	// pixel, however few bytes it has; encoders write about ten.
	maxScans = 32
)

const mediaTypeJPEG = "image/jpeg"

// A Photo is a portrait that was checked and encoded anew: nothing of the
// uploaded file but its picture is left, no metadata (such as where it was
// taken) and no bytes that another program could take for a page or a script.
// Its bytes are what a [PhotoRef] in a passport stands for.
//
// A Photo prints and logs without its picture. The zero Photo has none.
type Photo struct {
	jpeg          []byte
	width, height int
}

// ParsePhoto reads an uploaded portrait. It must be a JPEG of less than 500,000
// bytes and at most 4,000 by 4,000 pixels; the declared size is read before
// anything is decoded. An orientation in the metadata is applied before the
// metadata goes. If the new encoding is too long, quality is lowered until it
// fits.
//
// A progressive picture of the greatest size takes some hundred megabytes while
// it is decoded: a server bounds how many it reads at once.
//
// The error is a [*ValidationError] with one violation and an empty pointer:
// photo-size, photo-format, photo-dimensions or photo-scans. Because encoding
// loses detail, an issuer calls ParsePhoto once, at upload; who received a photo
// calls [PhotoRef.Matches], which changes nothing.
func ParsePhoto(upload []byte) (*Photo, error) {
	picture, scan, rule := decodePhoto(upload)
	if rule != "" {
		return nil, photoError(rule)
	}
	picture = upright(picture, scan.orientation)
	for _, quality := range []int{90, 80, 70, 60, 50, 40, 30} {
		var out bytes.Buffer
		if err := jpeg.Encode(&out, picture, &jpeg.Options{Quality: quality}); err != nil {
			return nil, photoError(rulePhotoFormat)
		}
		if out.Len() < maxPhoto {
			b := picture.Bounds()
			return &Photo{out.Bytes(), b.Dx(), b.Dy()}, nil
		}
	}
	return nil, photoError(rulePhotoSize)
}

// decodePhoto checks the bytes and then decodes them. It returns the rule that
// they break, or "".
func decodePhoto(b []byte) (image.Image, scanned, string) {
	if len(b) >= maxPhoto {
		return nil, scanned{}, rulePhotoSize
	}
	scan, rule := scanJPEG(b)
	if rule != "" {
		return nil, scan, rule
	}
	config, err := jpeg.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, scan, rulePhotoFormat
	}
	if config.Width < 1 || config.Height < 1 || config.Width > maxSide || config.Height > maxSide {
		return nil, scan, rulePhotoDimensions
	}
	picture, err := jpeg.Decode(bytes.NewReader(b))
	if err != nil || picture.Bounds().Dx() != config.Width || picture.Bounds().Dy() != config.Height {
		return nil, scan, rulePhotoFormat
	}
	return picture, scan, ""
}

// JPEG returns a copy of the photo's bytes, of media type image/jpeg.
func (p *Photo) JPEG() []byte { return bytes.Clone(p.jpeg) }

// Size returns width and height in pixels.
func (p *Photo) Size() (width, height int) { return p.width, p.height }

// DataURL returns the photo as a data URL (RFC 2397) with base64, for a page or
// for a credential that carries its photo inside.
func (p *Photo) DataURL() string {
	return dataPrefix + base64.StdEncoding.EncodeToString(p.jpeg)
}

// Format prints the size only, whatever the verb.
func (p Photo) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, p.LogValue().String()) }

// LogValue logs the size only.
func (p Photo) LogValue() slog.Value {
	return slog.StringValue(fmt.Sprintf("photo of %d by %d", p.width, p.height))
}

// Names of the rules for photos.
const (
	rulePhotoSize       = "photo-size"
	rulePhotoFormat     = "photo-format"
	rulePhotoDimensions = "photo-dimensions"
	rulePhotoScans      = "photo-scans"
	rulePhotoMismatch   = "photo-mismatch"
	rulePhotoTrailing   = "photo-trailing-data"
	rulePhotoID         = "photo-id"
	rulePhotoType       = "photo-media-type"
	rulePhotoDigest     = "photo-digest"
)

func photoRules() []rule {
	return []rule{
		{name: rulePhotoSize, say: "must be less than 500,000 bytes long"},
		{name: rulePhotoFormat, say: "must be a JPEG picture"},
		{name: rulePhotoDimensions, say: "must be at most 4,000 by 4,000 pixels"},
		{name: rulePhotoScans, say: "must not be made of so many passes: save it as a plain JPEG"},
		{name: rulePhotoMismatch, say: "must be the picture that the digest was made of"},
		{name: rulePhotoTrailing, say: "must end where the picture ends"},
		{name: rulePhotoID, pattern: `^[a-z][a-z0-9+.-]*:[!-~]+$`, check: isPhotoID,
			say: "must be a URL, or a data URL of image/jpeg with base64"},
		{name: rulePhotoType, pattern: `^image/jpeg$`, say: "must be image/jpeg"},
		{name: rulePhotoDigest, pattern: `^(u[A-Za-z0-9_-]{46}|z[1-9A-HJ-NP-Za-km-z]{44,47})$`, check: isDigest,
			say: "must be a multibase multihash of SHA-256"},
	}
}

func photoError(rule string) error {
	return &ValidationError{Violations: []Violation{violation("", rule)}}
}

// ErrPhoto: bytes that are not the photo a reference stands for, or not a
// picture that is safe to show.
var ErrPhoto = errors.New("schema: photo does not match")
