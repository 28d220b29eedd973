package main

import (
	"image"
	"image/color"
	imagedraw "image/draw"
)

const (
	width, height = 480, 600
	fine          = 3 // the canvas is this much finer than the picture
)

// draw returns the picture.
func draw() *image.RGBA {
	c := canvas{image.NewRGBA(image.Rect(0, 0, width*fine, height*fine))}
	c.background()
	c.fern(70, 560, 1)
	c.fern(410, 560, -1)
	c.body()
	c.head()
	return c.smooth()
}

// A canvas is painted in the coordinates of the picture.
type canvas struct{ *image.RGBA }

func rgb(v uint32) color.RGBA {
	return color.RGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 255}
}

// background is a wall that gets lighter towards the middle.
func (c canvas) background() {
	for y := range height * fine {
		for x := range width * fine {
			dx, dy := x-width*fine/2, y-height*fine/3
			shade := min((dx*dx+dy*dy)/(fine*fine*4600), 50)
			c.SetRGBA(x, y, color.RGBA{uint8(214 - shade), uint8(226 - shade), uint8(230 - shade/2), 255})
		}
	}
}

// ellipse fills an ellipse around (cx, cy).
func (c canvas) ellipse(cx, cy, rx, ry int, fill color.RGBA) {
	cx, cy, rx, ry = cx*fine, cy*fine, rx*fine, ry*fine
	for y := -ry; y <= ry; y++ {
		for x := -rx; x <= rx; x++ {
			if x*x*ry*ry+y*y*rx*rx <= rx*rx*ry*ry {
				c.set(cx+x, cy+y, fill)
			}
		}
	}
}

// band fills the part of a ring around (cx, cy) that lies between two heights.
func (c canvas) band(cx, cy, inner, outer, top, bottom int, fill color.RGBA) {
	cx, cy, inner, outer = cx*fine, cy*fine, inner*fine, outer*fine
	for y := max(-outer, top*fine-cy); y <= min(outer, bottom*fine-cy); y++ {
		for x := -outer; x <= outer; x++ {
			if d := x*x + y*y; d <= outer*outer && d >= inner*inner {
				c.set(cx+x, cy+y, fill)
			}
		}
	}
}

func (c canvas) rect(x0, y0, x1, y1 int, fill color.RGBA) {
	r := image.Rect(x0*fine, y0*fine, x1*fine, y1*fine)
	imagedraw.Draw(c, r, image.NewUniform(fill), image.Point{}, imagedraw.Src)
}

// line draws a line as thick as given by stamping discs.
func (c canvas) line(x0, y0, x1, y1, thick int, fill color.RGBA) {
	steps := max(abs(x1-x0), abs(y1-y0), 1)
	for i := range steps + 1 {
		c.ellipse(x0+(x1-x0)*i/steps, y0+(y1-y0)*i/steps, thick, thick, fill)
	}
}

func (c canvas) set(x, y int, fill color.RGBA) {
	if image.Pt(x, y).In(c.Rect) {
		c.SetRGBA(x, y, fill)
	}
}

func abs(n int) int { return max(n, -n) }

// fern is a stem with leaves that get shorter towards its tip.
func (c canvas) fern(x, y, lean int) {
	stem, leaf := rgb(0x4f7f52), rgb(0x6c9c63)
	for i := range 40 {
		sx, sy := x+lean*i*i/60, y-i*9
		c.ellipse(sx, sy, 3, 6, stem)
		if i%2 == 0 && i > 3 {
			for j := range (40 - i) * 2 {
				c.ellipse(sx-j, sy-j/2, 4, 2, leaf)
				c.ellipse(sx+j, sy-j/2, 4, 2, leaf)
			}
		}
	}
}

// body is a tunic with a lanyard and a badge.
func (c canvas) body() {
	tunic, edge, skin, shadow := rgb(0x2a6f80), rgb(0xf0f4f4), rgb(0xc98f6b), rgb(0xb27a58)
	c.ellipse(240, 640, 205, 190, tunic)
	c.ellipse(240, 470, 74, 62, edge)
	c.ellipse(240, 462, 66, 58, skin)
	c.rect(196, 360, 284, 470, skin)
	c.ellipse(240, 392, 44, 34, shadow)
	for _, side := range []int{-1, 1} {
		c.line(240+side*62, 480, 240+side*8, 592, 4, rgb(0xe3b23c))
	}
	c.rect(330, 540, 384, 580, edge)
	c.ellipse(348, 560, 9, 12, rgb(0x4f7f52))
	for i := range 3 {
		c.rect(362, 550+i*8, 378, 553+i*8, rgb(0x8a9a9c))
	}
}

// head is a face with hair to the shoulders.
func (c canvas) head() {
	skin, blush, shadow, hair := rgb(0xd9a07c), rgb(0xd18d70), rgb(0xc28763), rgb(0x4b2e20)
	c.ellipse(240, 258, 138, 150, hair)
	c.rect(102, 258, 158, 410, hair)
	c.rect(322, 258, 378, 410, hair)
	c.ellipse(132, 408, 30, 26, hair)
	c.ellipse(348, 408, 30, 26, hair)
	c.ellipse(240, 282, 106, 134, skin)
	c.ellipse(240, 166, 104, 44, hair)
	c.ellipse(178, 186, 58, 34, hair)
	c.ellipse(184, 330, 24, 16, blush)
	c.ellipse(296, 330, 24, 16, blush)
	for _, side := range []int{-1, 1} {
		x := 240 + side*44
		c.line(x-22, 240-side, x+22, 240+side, 4, hair)
		c.ellipse(x, 272, 22, 13, rgb(0xfbf8f4))
		c.ellipse(x, 272, 12, 12, rgb(0x5b7246))
		c.ellipse(x, 272, 6, 6, rgb(0x1d1712))
		c.ellipse(x+4, 268, 2, 2, rgb(0xffffff))
		c.band(x, 280, 23, 26, 252, 266, hair)
	}
	c.line(240, 284, 232, 322, 3, shadow)
	c.ellipse(236, 326, 14, 6, shadow)
	c.ellipse(240, 322, 12, 6, skin)
	c.band(240, 322, 38, 46, 352, 372, rgb(0xa34f4a))
}

// smooth averages the fine canvas down to the picture.
func (c canvas) smooth() *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			var sum [3]int
			for i := range fine * fine {
				p := c.RGBAAt(x*fine+i%fine, y*fine+i/fine)
				sum[0] += int(p.R)
				sum[1] += int(p.G)
				sum[2] += int(p.B)
			}
			n := fine * fine
			out.SetRGBA(x, y, color.RGBA{uint8(sum[0] / n), uint8(sum[1] / n), uint8(sum[2] / n), 255})
		}
	}
	return out
}
