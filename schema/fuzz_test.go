package schema_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"image"
	"image/jpeg"
	"testing"

	"github.com/staffpassport/staffpassport/schema"
)

// What parses keeps every rule, and writing and parsing it gives the same.
func FuzzParsePassport(f *testing.F) {
	r := sampleTree(f)
	f.Add(r.bytes(f))
	r.set("/employment/staffGroup", "Add Prof Scientific and Technic")
	r.set("/dbs/level", "Not Available")
	f.Add(r.bytes(f))
	r.set("/personal/extra", 1)
	f.Add(r.bytes(f))
	for _, s := range []string{`{}`, `{"dbs":{"level":"Not Applicable"}}`, `{"personal":{"photo":{"id":"data:image/jpeg;base64,"}}}`, `{"a":{"b":[1,{"c":null}]}}`, `[`, ``} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		if p, err := schema.ParsePassport(doc); err == nil {
			if err := p.Validate(); err != nil {
				t.Fatal(err)
			}
			same(t, p, schema.ParsePassport)
		} else if p != nil {
			t.Fatal("a passport beside an error")
		}
		// As it stands in a credential: anything goes, but nothing is lost.
		var p schema.Passport
		if json.Unmarshal(doc, &p) == nil {
			_ = p.Validate()
			_ = p.ValidateDisclosed()
			same(t, &p, func(b []byte) (*schema.Passport, error) {
				var q schema.Passport
				return &q, json.Unmarshal(b, &q)
			})
		}
	})
}

func same(t *testing.T, p *schema.Passport, parse func([]byte) (*schema.Passport, error)) {
	t.Helper()
	first, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	again, err := parse(first)
	if err != nil {
		t.Fatalf("what was written does not parse: %v", err)
	}
	second, err := json.Marshal(again)
	if err != nil || !bytes.Equal(first, second) {
		t.Fatalf("writing differs: %v", err)
	}
}

// What is accepted is a whole JPEG within the limits that matches its reference.
func FuzzParsePhoto(f *testing.F) {
	_, photo := schema.Sample()
	f.Add(photo.JPEG())
	small := encoded(f, image.NewGray(image.Rect(0, 0, 8, 8)), 50)
	f.Add(small)
	f.Add(after(small, segment(0xe1, exifWith(binary.BigEndian, 6))))
	f.Add(append(small, "<script>"...))
	f.Add([]byte{0xff, 0xd8, 0xff, 0xda, 0, 2, 0xff, 0xd9})
	f.Fuzz(func(t *testing.T, upload []byte) {
		// Big pictures are slow, and tested elsewhere.
		if c, err := jpeg.DecodeConfig(bytes.NewReader(upload)); err == nil && c.Width*c.Height > 1<<16 && c.Width <= 4000 && c.Height <= 4000 {
			return
		}
		p, err := schema.ParsePhoto(upload)
		if err != nil {
			if p != nil {
				t.Fatal("a photo beside an error")
			}
			return
		}
		if err := p.Ref().Matches(p.JPEG()); err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(p.JPEG(), []byte("<script")) {
			t.Fatal("text survives")
		}
	})
}
