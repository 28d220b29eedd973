package mediate

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/staffpassport/staffpassport/didcomm"
)

// BenchmarkForward takes one forward message after it was opened.
func BenchmarkForward(b *testing.B) {
	for _, v := range versions {
		for name, size := range map[string]int{"2KB": 2 << 10, "400KB": 400 << 10} {
			b.Run(map[didcomm.Version]string{1: "v1/", 2: "v2/"}[v]+name, func(b *testing.B) {
				p := granted(b, v)
				r := recipient(b, v, 1)
				p.route(b, r)
				p.settle(b)
				p.mediator.Deliver = nil
				m := forward(b, v, nameOf(b, r), envelope(strings.Repeat("a", size)))
				plaintext, err := m.Plaintext()
				if err != nil {
					b.Fatal(err)
				}
				if m, err = didcomm.ParseMessage(plaintext); err != nil {
					b.Fatal(err)
				}
				k := didcomm.Keys{Recipient: p.mediatorsKey, To: p.mediator.DID}
				b.SetBytes(int64(len(plaintext)))
				for b.Loop() {
					if _, _, err := p.mediator.open(k, m); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkForwardFloor is what reading the payload's JSON costs by itself.
func BenchmarkForwardFloor(b *testing.B) {
	for name, size := range map[string]int{"2KB": 2 << 10, "400KB": 400 << 10} {
		b.Run(name, func(b *testing.B) {
			data := envelope(strings.Repeat("a", size))
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if !json.Valid(data) {
					b.Fatal("invalid")
				}
			}
		})
	}
}
