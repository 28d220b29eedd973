package strictjson_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/staffpassport/staffpassport/internal/strictjson"
)

func BenchmarkParse(b *testing.B) {
	photo := `{"photo":"data:image/jpeg;base64,` + strings.Repeat("QUJD", 100_000) + `"}`
	for _, c := range []struct{ name, doc string }{{"2KB", credential}, {"photo", photo}} {
		b.Run(c.name, func(b *testing.B) {
			data := []byte(c.doc)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := strictjson.Parse(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkFloor is what no parser can do without: one copy of the document
// and one look at every byte.
func BenchmarkFloor(b *testing.B) {
	b.Run("2KB", func(b *testing.B) {
		data := []byte(credential)
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			sum := 0
			for _, c := range []byte(strings.Clone(string(data))) {
				sum += int(c)
			}
			if sum == 0 {
				b.Fatal("empty")
			}
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		data := []byte(credential)
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			var v any
			if err := json.Unmarshal(data, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkUnmarshal(b *testing.B) {
	data := []byte(credential)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		var v struct {
			ID      string          `json:"id"`
			Type    []string        `json:"type"`
			Subject json.RawMessage `json:"credentialSubject"`
		}
		if err := strictjson.Unmarshal(data, &v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	v, err := strictjson.Parse([]byte(credential))
	if err != nil {
		b.Fatal(err)
	}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		if buf, err = strictjson.Append(buf[:0], v); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkParseNumbers is a megabyte of numbers: integers, ordinary ones with an
// exponent, and the slowest that the limits let through, which must be no slower.
func BenchmarkParseNumbers(b *testing.B) {
	hostile := strings.Repeat("5e-324,", 32)
	for _, c := range []struct{ name, doc string }{
		{"integers", "[" + strings.Repeat("1234567,", 1<<17-2) + "0]"},
		{"exponents", "[" + strings.Repeat("1.5e-30,", 1<<17-2) + "0]"},
		{"slow", "[" + hostile + strings.Repeat("1e-306,", 1<<17-34) + "0]"},
	} {
		b.Run(c.name, func(b *testing.B) {
			data := []byte(c.doc)
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if _, err := strictjson.Parse(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
