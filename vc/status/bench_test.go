package status_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/gzip"

	"github.com/staffpassport/staffpassport/vc/status"
)

// sparse is a list with a share of its bits set at random, in per mille.
func sparse(b *testing.B, n, perMille int) *status.Bits {
	b.Helper()
	r := rand.New(rand.NewPCG(17, 20))
	bits := newBits(b, n)
	for range n / 1000 * perMille {
		if err := bits.Set(r.IntN(n), true); err != nil {
			b.Fatal(err)
		}
	}
	return bits
}

// decoded are the lists that are measured: one of the usual size, untouched, in common
// use, and after a bad year.
func decoded() map[string]int {
	return map[string]int{"2^17": 0, "2^17-0.1%": 1, "2^17-2%": 20}
}

func BenchmarkDecode(b *testing.B) {
	for name, perMille := range decoded() {
		encoded := sparse(b, 1<<17, perMille).Encode()
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.ReportMetric(float64(len(encoded)), "list-B")
			for b.Loop() {
				bits, err := status.Decode(encoded)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := bits.Get(94567); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	for name, n := range map[string]int{"2^17-2%": 1 << 17, "2^20-2%": 1 << 20} {
		bits := sparse(b, n, 20)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.ReportMetric(float64(len(bits.Encode())), "list-B")
			for b.Loop() {
				bits.Encode()
			}
		})
	}
}

// BenchmarkCheck asks for a status when the list is held.
func BenchmarkCheck(b *testing.B) {
	b.Run("cached", func(b *testing.B) {
		w := &web{}
		l := &status.Lists{Client: w}
		list := newList(b)
		list.Bits = sparse(b, 1<<17, 20)
		w.put(b, list)
		issuers := river(b)
		var a status.Authority = believing{}
		b.ReportAllocs()
		for b.Loop() {
			_ = l.Check(context.Background(), revocation(94567), issuers, noon, a)
		}
	})
}

// BenchmarkFloor does only what cannot be avoided: the compression, with everything
// else at hand.
func BenchmarkFloor(b *testing.B) {
	for name, perMille := range decoded() {
		text := []byte(sparse(b, 1<<17, perMille).Encode()[1:])
		b.Run("Decode/"+name, func(b *testing.B) {
			packed, out := make([]byte, base64.RawURLEncoding.DecodedLen(len(text))), make([]byte, 1<<14)
			in, r := bytes.NewReader(nil), new(gzip.Reader)
			for b.Loop() {
				if _, err := base64.RawURLEncoding.Decode(packed, text); err != nil {
					b.Fatal(err)
				}
				in.Reset(packed)
				if err := r.Reset(in); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(r, out); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	for name, n := range map[string]int{"2^17-2%": 1 << 17, "2^20-2%": 1 << 20} {
		bits := sparse(b, n, 20).Bytes()
		b.Run("Encode/"+name, func(b *testing.B) {
			var out bytes.Buffer
			w, err := gzip.NewWriterLevel(&out, 5)
			if err != nil {
				b.Fatal(err)
			}
			text := make([]byte, 2*len(bits))
			for b.Loop() {
				out.Reset()
				w.Reset(&out)
				if _, err := w.Write(bits); err != nil {
					b.Fatal(err)
				}
				if err := w.Close(); err != nil {
					b.Fatal(err)
				}
				base64.RawURLEncoding.Encode(text, out.Bytes())
			}
		})
	}
	b.Run("Check/cached", func(b *testing.B) {
		type key struct{ url string }
		bits := sparse(b, 1<<17, 20)
		m := map[key]*status.Bits{{listURL}: bits}
		for b.Loop() {
			if _, err := m[key{listURL}].Get(94567); err != nil {
				b.Fatal(err)
			}
		}
	})
}
