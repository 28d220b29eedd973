package main

import (
	"image"
	"image/jpeg"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// The committed file shows what this program draws. Pixels are compared, not
// bytes: a JPEG encoder of another Go version may spend its bits elsewhere.
func TestCommittedPortraitIsDrawnHere(t *testing.T) {
	t.Parallel()
	f, err := os.Open("../../sample/portrait.jpg")
	require.NoError(t, err)
	defer f.Close()
	committed, err := jpeg.Decode(f)
	require.NoError(t, err)
	info, err := f.Stat()
	require.NoError(t, err)
	require.Greater(t, info.Size(), int64(10_000))
	require.Less(t, info.Size(), int64(40_000))

	drawn := draw()
	require.Equal(t, drawn.Bounds(), committed.Bounds())
	require.Less(t, difference(drawn, committed), 4.0, "run go generate in package schema")
	require.Equal(t, drawn.Pix, draw().Pix)
}

// difference is the mean distance of the samples of two pictures.
func difference(a, b image.Image) float64 {
	sum, n := 0, 0
	r := a.Bounds()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			r1, g1, b1, _ := a.At(x, y).RGBA()
			r2, g2, b2, _ := b.At(x, y).RGBA()
			for _, d := range []int{int(r1>>8) - int(r2>>8), int(g1>>8) - int(g2>>8), int(b1>>8) - int(b2>>8)} {
				sum += abs(d)
				n++
			}
		}
	}
	return float64(sum) / float64(n)
}
