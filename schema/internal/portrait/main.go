// Command portrait draws the portrait of the sample passport: a person who does
// not exist. It computes with integers only, so that it draws the same everywhere.
//
//	portrait FILE
package main

import (
	"bytes"
	"image/jpeg"
	"log"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: portrait FILE")
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, draw(), &jpeg.Options{Quality: 80}); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(os.Args[1], out.Bytes(), 0o644); err != nil {
		log.Fatal(err)
	}
}
