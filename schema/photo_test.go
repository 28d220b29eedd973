package schema_test

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/schema"
)

func encoded(t testing.TB, m image.Image, quality int) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, m, &jpeg.Options{Quality: quality}))
	return b.Bytes()
}

// segment is a marker segment of a JPEG.
func segment(marker byte, data []byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(data)+2)), data...)
}

// after inserts bytes behind the start-of-image marker.
func after(photo []byte, segments ...[]byte) []byte {
	return slices.Concat(photo[:2], slices.Concat(segments...), photo[2:])
}

// padded makes the photo exactly n bytes long with comments.
func padded(t testing.TB, photo []byte, n int) []byte {
	t.Helper()
	var comments [][]byte
	for left := n - len(photo); left > 0; {
		size := min(left, 65_000)
		if left-size > 0 && left-size < 4 {
			size -= 4
		}
		comments = append(comments, segment(0xfe, bytes.Repeat([]byte{'x'}, size-4)))
		left -= size
	}
	out := after(photo, comments...)
	require.Len(t, out, n)
	return out
}

// declare writes another width and height into the frame header.
func declare(t testing.TB, photo []byte, width, height int) []byte {
	t.Helper()
	out := slices.Clone(photo)
	for i := 2; i+9 < len(out); i += 2 + int(binary.BigEndian.Uint16(out[i+2:])) {
		if m := out[i+1]; m >= 0xc0 && m <= 0xc2 {
			binary.BigEndian.PutUint16(out[i+5:], uint16(height))
			binary.BigEndian.PutUint16(out[i+7:], uint16(width))
			return out
		}
	}
	t.Fatal("no frame header")
	return nil
}

func photoRule(t testing.TB, upload []byte) string {
	t.Helper()
	p, err := schema.ParsePhoto(upload)
	require.Nil(t, p)
	rules := told(t, err)
	require.Len(t, rules, 1)
	return rules[0]
}

func TestParsePhoto(t *testing.T) {
	t.Parallel()
	_, sample := schema.Sample()
	p, err := schema.ParsePhoto(sample.JPEG())
	require.NoError(t, err)
	w, h := p.Size()
	require.Equal(t, []int{480, 600}, []int{w, h})
	config, err := jpeg.DecodeConfig(bytes.NewReader(p.JPEG()))
	require.NoError(t, err)
	require.Equal(t, []int{480, 600}, []int{config.Width, config.Height})
	require.NoError(t, p.Ref().Matches(p.JPEG()))

	for name, m := range map[string]image.Image{
		"grey":  image.NewGray(image.Rect(0, 0, 30, 40)),
		"one":   image.NewRGBA(image.Rect(0, 0, 1, 1)),
		"thin":  image.NewRGBA(image.Rect(0, 0, 1, 4000)),
		"wide":  image.NewGray(image.Rect(0, 0, 4000, 8)),
		"whole": image.NewGray(image.Rect(0, 0, 4000, 4000)),
	} {
		p, err := schema.ParsePhoto(encoded(t, m, 20))
		require.NoError(t, err, name)
		w, h := p.Size()
		require.Equal(t, m.Bounds().Size(), image.Pt(w, h), name)
	}
}

// The limit is "less than 500,000 bytes".
func TestPhotoLengthAtTheBoundary(t *testing.T) {
	t.Parallel()
	_, sample := schema.Sample()
	p, err := schema.ParsePhoto(padded(t, sample.JPEG(), 499_999))
	require.NoError(t, err)
	require.Less(t, len(p.JPEG()), 100_000, "the padding is gone")
	require.Equal(t, "photo-size", photoRule(t, padded(t, sample.JPEG(), 500_000)))
}

// A picture that gets longer when it is encoded anew is made coarser.
func TestPhotoStaysShort(t *testing.T) {
	t.Parallel()
	m := image.NewGray(image.Rect(0, 0, 900, 900))
	seed := uint32(1)
	for i := range m.Pix {
		seed = seed*1664525 + 1013904223
		m.Pix[i] = byte(seed >> 24)
	}
	quality := 75
	upload := encoded(t, m, quality)
	for ; len(upload) >= 500_000; upload = encoded(t, m, quality) {
		quality -= 5
	}
	require.Greater(t, len(encoded(t, m, 90)), 500_000, "the first try is too long")
	p, err := schema.ParsePhoto(upload)
	require.NoError(t, err)
	require.Less(t, len(p.JPEG()), 500_000)
}

// 600 bytes that ask the decoder for more than a gigabyte.
func TestAbuse_PO08_DeclaredSize(t *testing.T) {
	small := encoded(t, image.NewGray(image.Rect(0, 0, 8, 8)), 50)
	colour := encoded(t, image.NewRGBA(image.Rect(0, 0, 8, 8)), 50)
	require.Less(t, len(small), 600)
	for name, upload := range map[string][]byte{
		"600 bytes, 30000 x 30000": padded(t, declare(t, small, 30000, 30000), 600),
		"colour":                   declare(t, colour, 30000, 30000),
		"65535 x 65535":            declare(t, small, 65535, 65535),
		"4001 x 4000":              declare(t, small, 4001, 4000),
		"4000 x 4001":              declare(t, colour, 4000, 4001),
		"1 x 65535":                declare(t, small, 1, 65535),
	} {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		rule := photoRule(t, upload)
		// The holder's and the host's side meets the same bytes.
		ref := refOf(upload)
		err := ref.Matches(upload)
		runtime.ReadMemStats(&after)
		require.Equal(t, "photo-dimensions", rule, name)
		require.ErrorIs(t, err, schema.ErrPhoto, name)
		require.Equal(t, []string{"photo-dimensions"}, told(t, err), name)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(32<<20), name)
	}
	require.Equal(t, "photo-dimensions", photoRule(t, declare(t, small, 0, 8)))
}

func TestAbuse_PO09_NotAPhoto(t *testing.T) {
	t.Parallel()
	_, sample := schema.Sample()
	photo := sample.JPEG()
	var pngBytes, gifBytes bytes.Buffer
	require.NoError(t, png.Encode(&pngBytes, image.NewRGBA(image.Rect(0, 0, 8, 8))))
	require.NoError(t, gif.Encode(&gifBytes, image.NewRGBA(image.Rect(0, 0, 8, 8)), nil))

	require.Equal(t, "photo-size", photoRule(t, padded(t, photo, 500_001)))
	for name, upload := range map[string][]byte{
		"nothing":           nil,
		"PNG":               pngBytes.Bytes(),
		"GIF":               gifBytes.Bytes(),
		"SVG":               []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`),
		"HTML":              []byte("<!doctype html><script>alert(1)</script>"),
		"HTML with a start": append([]byte{0xff, 0xd8, 0xff}, "<html><script>alert(1)</script>"...),
		"WebP":              []byte("RIFF\x24\x00\x00\x00WEBPVP8 "),
		"HEIC":              []byte("\x00\x00\x00\x18ftypheic"),
		"PDF":               []byte("%PDF-1.7"),
		"start only":        {0xff, 0xd8},
		"start and end":     {0xff, 0xd8, 0xff, 0xd9},
		"PNG in front":      append(pngBytes.Bytes(), photo...),
		"byte in front":     append([]byte{0}, photo...),
		"cut in half":       photo[:len(photo)/2],
		"end cut off":       photo[:len(photo)-2],
		"segment too long":  {0xff, 0xd8, 0xff, 0xe0, 0xff, 0xff, 0, 0},
		"segment too short": {0xff, 0xd8, 0xff, 0xe0, 0x00, 0x01, 0, 0},
		"no scan":           after([]byte{0xff, 0xd8, 0xff, 0xd9}, segment(0xfe, []byte("x"))),
		"two starts":        after(photo, []byte{0xff, 0xd8}),
	} {
		require.Equal(t, "photo-format", photoRule(t, upload), name)
	}
}

// What looks like a photo and like a page is left without the page.
func TestAbuse_PO09_Polyglot(t *testing.T) {
	t.Parallel()
	_, sample := schema.Sample()
	photo := sample.JPEG()
	const page = "<!doctype html><script>alert(document.domain)</script>"
	for name, upload := range map[string][]byte{
		"page behind":     append(slices.Clone(photo), page...),
		"page as comment": after(photo, segment(0xfe, []byte(page))),
		"page as data":    after(photo, segment(0xe0, []byte(page)), segment(0xef, []byte(page))),
		"zip behind":      append(slices.Clone(photo), "PK\x03\x04"+page...),
		"photo behind":    append(slices.Clone(photo), photo...),
		"one byte behind": append(slices.Clone(photo), 0),
	} {
		p, err := schema.ParsePhoto(upload)
		require.NoError(t, err, name)
		out := p.JPEG()
		require.NotContains(t, string(out), "<script", name)
		require.NotContains(t, string(out), "PK\x03\x04", name)
		require.Equal(t, []byte{0xff, 0xd8}, out[:2])
		require.Equal(t, []byte{0xff, 0xd9}, out[len(out)-2:])
		require.Equal(t, 1, bytes.Count(out, []byte{0xff, 0xd9}), "nothing after the end")
		require.NoError(t, p.Ref().Matches(out))
	}
	// A host that gets such bytes, although their digest is right, refuses them.
	polyglot := append(slices.Clone(photo), page...)
	require.Equal(t, []string{"photo-trailing-data"}, told(t, refOf(polyglot).Matches(polyglot)))
}

// refOf makes the reference that a careless issuer would make of any bytes.
func refOf(b []byte) schema.PhotoRef {
	return schema.UncheckedRef(b)
}

func TestPhotoMetadataGoes(t *testing.T) {
	t.Parallel()
	_, sample := schema.Sample()
	exif := exifWith(binary.BigEndian, 1)
	p, err := schema.ParsePhoto(after(sample.JPEG(), segment(0xe1, append(exif, "GPS 51.5N 0.1W KANARIENVOGEL"...))))
	require.NoError(t, err)
	require.NotContains(t, string(p.JPEG()), "KANARIENVOGEL")
	require.NotContains(t, string(p.JPEG()), "Exif")
}

// Many passes over many pixels in few bytes.
func TestAbuse_PO08_ManyScans(t *testing.T) {
	t.Parallel()
	scan := slices.Concat(segment(0xda, []byte{1, 1, 0, 0, 63, 0}), []byte{0})
	upload := slices.Concat([]byte{0xff, 0xd8}, bytes.Repeat(scan, 33), []byte{0xff, 0xd9})
	require.Equal(t, "photo-scans", photoRule(t, upload))
}

func exifWith(order binary.AppendByteOrder, orientation uint16) []byte {
	b := []byte("Exif\x00\x00")
	if order == binary.AppendByteOrder(binary.LittleEndian) {
		b = append(b, "II*\x00"...)
	} else {
		b = append(b, "MM\x00*"...)
	}
	b = order.AppendUint32(b, 8)
	b = order.AppendUint16(b, 2)
	for _, tag := range []uint16{0x010f, 0x0112} {
		b = order.AppendUint16(b, tag)
		b = order.AppendUint16(b, 3)
		b = order.AppendUint32(b, 1)
		b = order.AppendUint16(b, orientation)
		b = order.AppendUint16(b, 0)
	}
	return order.AppendUint32(b, 0)
}

// The scene has a red, a green, a blue and a white corner. Each orientation of
// the metadata says how a camera stored it; after ParsePhoto it is upright.
func TestPhotoOrientation(t *testing.T) {
	t.Parallel()
	red, green, blue, white := color.RGBA{255, 0, 0, 255}, color.RGBA{0, 255, 0, 255}, color.RGBA{0, 0, 255, 255}, color.RGBA{255, 255, 255, 255}
	const w, h = 64, 96
	scene := image.NewRGBA(image.Rect(0, 0, w, h))
	for i, c := range []color.RGBA{red, green, blue, white} {
		at := image.Pt(i%2*w/2, i/2*h/2)
		draw.Draw(scene, image.Rectangle{at, at.Add(image.Pt(w/2, h/2))}, image.NewUniform(c), image.Point{}, draw.Src)
	}
	// Where the pixel of the upright scene at (x, y) is stored.
	stored := map[uint16]func(x, y int) (int, int){
		1: func(x, y int) (int, int) { return x, y },
		2: func(x, y int) (int, int) { return w - 1 - x, y },
		3: func(x, y int) (int, int) { return w - 1 - x, h - 1 - y },
		4: func(x, y int) (int, int) { return x, h - 1 - y },
		5: func(x, y int) (int, int) { return y, x },
		6: func(x, y int) (int, int) { return y, w - 1 - x },
		7: func(x, y int) (int, int) { return h - 1 - y, w - 1 - x },
		8: func(x, y int) (int, int) { return h - 1 - y, x },
	}
	for o, place := range stored {
		file := image.NewRGBA(image.Rect(0, 0, w, h))
		if o >= 5 {
			file = image.NewRGBA(image.Rect(0, 0, h, w))
		}
		for y := range h {
			for x := range w {
				fx, fy := place(x, y)
				file.SetRGBA(fx, fy, scene.RGBAAt(x, y))
			}
		}
		for _, order := range []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian} {
			p, err := schema.ParsePhoto(after(encoded(t, file, 95), segment(0xe1, exifWith(order, o))))
			require.NoError(t, err)
			got, err := jpeg.Decode(bytes.NewReader(p.JPEG()))
			require.NoError(t, err)
			require.Equal(t, scene.Bounds(), got.Bounds(), o)
			for _, corner := range []image.Point{{8, 8}, {w - 8, 8}, {8, h - 8}, {w - 8, h - 8}} {
				r, g, b, _ := got.At(corner.X, corner.Y).RGBA()
				want := scene.RGBAAt(corner.X, corner.Y)
				for i, c := range []uint32{r, g, b} {
					require.InDelta(t, []uint8{want.R, want.G, want.B}[i], c>>8, 24, "orientation %d at %v", o, corner)
				}
			}
		}
	}
	// Broken metadata is no metadata.
	_, sample := schema.Sample()
	good := exifWith(binary.BigEndian, 6)
	for _, exif := range [][]byte{good[:6], good[:9], good[:20], exifWith(binary.BigEndian, 0), exifWith(binary.BigEndian, 9),
		slices.Concat(good[:10], []byte{0xff, 0xff, 0xff, 0xff}, good[14:]), []byte("Exif\x00\x00ZZ*\x00\x00\x00\x00\x08")} {
		p, err := schema.ParsePhoto(after(sample.JPEG(), segment(0xe1, exif)))
		require.NoError(t, err)
		w, _ := p.Size()
		require.Equal(t, 480, w)
	}
}

func TestPhotoRef(t *testing.T) {
	t.Parallel()
	_, photo := schema.Sample()
	ref := photo.Ref()
	require.Equal(t, ref, photo.Ref())
	require.Equal(t, "image/jpeg", ref.MediaType)
	_, ok := ref.Inline()
	require.False(t, ok)

	inline := photo.InlineRef()
	b, ok := inline.Inline()
	require.True(t, ok)
	require.Equal(t, photo.JPEG(), b)
	require.NoError(t, inline.Matches(b))

	flipped := photo.JPEG()
	flipped[len(flipped)/2] ^= 1
	other, err := schema.ParsePhoto(photo.JPEG())
	require.NoError(t, err)
	for name, c := range map[string]struct {
		ref   schema.PhotoRef
		bytes []byte
		rule  string
	}{
		"one bit":       {ref, flipped, "photo-mismatch"},
		"other photo":   {ref, other.JPEG(), "photo-mismatch"},
		"nothing":       {ref, nil, "photo-mismatch"},
		"too long":      {ref, padded(t, photo.JPEG(), 500_000), "photo-size"},
		"no digest":     {schema.PhotoRef{ID: ref.ID, MediaType: ref.MediaType}, photo.JPEG(), "photo-digest"},
		"other hash":    {schema.PhotoRef{ID: ref.ID, MediaType: ref.MediaType, DigestMultibase: "uEyBZlVztZpfWHgPyslVv6-UwirFoQoRvW1htfx963sknNA"}, photo.JPEG(), "photo-digest"},
		"other type":    {schema.PhotoRef{ID: ref.ID, MediaType: "image/svg+xml", DigestMultibase: ref.DigestMultibase}, photo.JPEG(), "photo-media-type"},
		"page, digest":  {refOf([]byte("<html>")), []byte("<html>"), "photo-format"},
		"zero PhotoRef": {schema.PhotoRef{}, photo.JPEG(), "photo-media-type"},
	} {
		err := c.ref.Matches(c.bytes)
		require.ErrorIs(t, err, schema.ErrPhoto, name)
		require.Equal(t, []string{c.rule}, told(t, err), name)
	}
}

func TestPhotoOfARecord(t *testing.T) {
	t.Parallel()
	_, photo := schema.Sample()
	inline := photo.InlineRef()
	for name, c := range map[string]struct {
		at   string
		v    string
		want string
	}{
		"another picture inside": {"id", func() string {
			p, _ := schema.ParsePhoto(photo.JPEG())
			return p.DataURL()
		}(), "/personal/photo/id photo-mismatch"},
		"PNG inside":       {"id", "data:image/png;base64,iVBORw0KGgo=", "/personal/photo/id photo-id"},
		"page inside":      {"id", "data:text/html,<script>", "/personal/photo/id photo-id"},
		"bad base64":       {"id", "data:image/jpeg;base64,!!!!", "/personal/photo/id photo-id"},
		"loose base64":     {"id", "data:image/jpeg;base64,AB==", "/personal/photo/id photo-id"},
		"not a URL":        {"id", "photo.jpg", "/personal/photo/id photo-id"},
		"blank in the URL": {"id", "urn:x y", "/personal/photo/id photo-id"},
		"long URL":         {"id", "urn:" + string(bytes.Repeat([]byte{'x'}, 300)), "/personal/photo/id photo-id"},
		"no data":          {"id", "Not Available", "/personal/photo/id photo-id"},
		"media type":       {"mediaType", "image/JPEG", "/personal/photo/mediaType photo-media-type"},
		"digest":           {"digestMultibase", "zQm", "/personal/photo/digestMultibase photo-digest"},
	} {
		r := sampleTree(t)
		if name == "another picture inside" {
			r.set("/personal/photo/digestMultibase", inline.DigestMultibase)
		}
		r["personal"].(map[string]any)["photo"].(map[string]any)[c.at] = c.v
		require.Equal(t, []string{c.want}, broken(t, r.bytes(t)), name)
	}
	for _, member := range []string{"id", "mediaType", "digestMultibase"} {
		r := sampleTree(t)
		delete(r["personal"].(map[string]any)["photo"].(map[string]any), member)
		require.Equal(t, []string{"/personal/photo/" + member + " required"}, broken(t, r.bytes(t)))
	}
}
