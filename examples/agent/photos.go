package main

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"

	"rsc.io/qr"

	"github.com/staffpassport/staffpassport/schema"
)

// A photoReader reads one photo at a time: the largest that is allowed takes some
// hundred megabytes to decode.
type photoReader struct{ decoding sync.Mutex }

func (p *photoReader) parse(b []byte) (*schema.Photo, error) {
	p.decoding.Lock()
	defer p.decoding.Unlock()
	return schema.ParsePhoto(b)
}

// upload returns the photo of a form, or nil if none was chosen.
func (p *photoReader) upload(r *http.Request) (*schema.Photo, error) {
	f, _, err := r.FormFile("photo")
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(f) // the form was bounded
	if err != nil || len(b) == 0 {
		return nil, err
	}
	return p.parse(b)
}

// photoComplaint says what is wrong with an upload.
func photoComplaint(err error) complaint {
	c := complaint{At: "/photo", Title: "Photo", Message: "cannot be read"}
	var invalid *schema.ValidationError
	if errors.As(err, &invalid) {
		var all []string
		for _, v := range invalid.Violations {
			all = append(all, v.Message)
		}
		c.Message = strings.Join(all, "; ")
	}
	return c
}

// stored answers with a photo that was uploaded here, and so encoded anew before.
func (s *site) stored(w http.ResponseWriter, jpeg []byte) {
	if len(jpeg) == 0 {
		s.notFound(w)
		return
	}
	writeImage(w, "image/jpeg", jpeg)
}

// picture answers with a photo, read as strictly as an upload: what a peer sent
// is encoded anew before a browser sees it.
func (s *site) picture(w http.ResponseWriter, jpeg []byte) {
	photo, err := s.photos.parse(jpeg)
	if err != nil {
		s.notFound(w)
		return
	}
	writeImage(w, "image/jpeg", photo.JPEG())
}

// qr answers with the QR code of a link. Links are short, so that there is room for
// correcting what a camera does not see: 15 in 100 squares.
func (s *site) qr(w http.ResponseWriter, link string) {
	code, err := qr.Encode(link, qr.M)
	if err != nil || link == "" {
		s.notFound(w)
		return
	}
	writeImage(w, "image/png", code.PNG())
}

// writeImage answers with image bytes and nothing a browser could take for a page.
func writeImage(w http.ResponseWriter, mediaType string, b []byte) {
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Disposition", "inline")
	_, _ = w.Write(b)
}
