package schema

import (
	"bytes"
	_ "embed"
	"image/jpeg"
)

//go:generate go run ./internal/portrait sample/portrait.jpg

var (
	//go:embed sample/passport.json
	sampleRecord []byte
	//go:embed sample/portrait.jpg
	samplePortrait []byte
)

// Sample returns a whole passport of a member of staff who does not exist, and
// her portrait, which a program of this module drew. Each call returns new values.
// The record as JSON, a starting point for one of your own, is what json.Marshal
// makes of it.
func Sample() (*Passport, *Photo) {
	config, err := jpeg.DecodeConfig(bytes.NewReader(samplePortrait))
	if err != nil {
		panic("schema: embedded portrait: " + err.Error())
	}
	photo := &Photo{bytes.Clone(samplePortrait), config.Width, config.Height}
	p, err := ParseRecord(sampleRecord, photo)
	if err != nil {
		panic("schema: embedded record: " + err.Error())
	}
	return p, photo
}
