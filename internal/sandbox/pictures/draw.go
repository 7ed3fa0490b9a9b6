package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"time"

	"github.com/dialtone/dialtone/internal/browsertest"
)

const (
	// Of the window, in CSS pixels: as high as the longest of the pages.
	width  = 1300
	height = 1800
	// settle is how long the UI's frames take to draw, with much to spare.
	settle = 5 * time.Second
)

// hidden is what belongs to the UI and not to the run: its menus.
const hidden = `nav, [data-testid="back-to-workflows"] { display: none !important }`

// album draws the two tabs of a run that say most, one under the other: what the run says of
// itself, and its timeline.
func album(browser *browsertest.Browser, run string) ([]byte, error) {
	var tabs []image.Image
	for _, shot := range []browsertest.Shot{
		{URL: run + "/user-metadata", From: "#content header", Until: metadata, Ready: frames(3)},
		{URL: run + "/timeline", From: timeline, Until: timeline, Ready: frames(8)},
	} {
		shot.Width, shot.Height, shot.Scale, shot.Scheme = width, height, 1, "light"
		shot.Settle, shot.Style = settle, hidden
		picture, err := browser.Shoot(shot)
		if err != nil {
			return nil, fmt.Errorf("draw %s: %w", shot.URL, err)
		}
		tab, err := png.Decode(bytes.NewReader(picture))
		if err != nil {
			return nil, fmt.Errorf("read the picture of %s: %w", shot.URL, err)
		}
		tabs = append(tabs, tab)
	}
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&out, stack(tabs)); err != nil {
		return nil, fmt.Errorf("write the picture: %w", err)
	}
	return out.Bytes(), nil
}

// What is drawn of the tabs: their panels, below what all tabs share.
const (
	metadata = "#content > div > header + div"
	timeline = `#content > div > :has([data-testid="pause"])`
)

// frames is true once the page has so many frames: the UI draws what a run says of itself,
// each piece of it, in a frame of its own.
func frames(n int) string {
	return fmt.Sprintf("document.querySelectorAll('#content iframe').length >= %d", n)
}

// stack puts pictures one under the other.
func stack(pictures []image.Image) image.Image {
	var size image.Point
	for _, p := range pictures {
		size = image.Pt(max(size.X, p.Bounds().Dx()), size.Y+p.Bounds().Dy())
	}
	all := image.NewRGBA(image.Rectangle{Max: size})
	draw.Draw(all, all.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	y := 0
	for _, p := range pictures {
		draw.Draw(all, image.Rect(0, y, size.X, y+p.Bounds().Dy()), p, p.Bounds().Min, draw.Src)
		y += p.Bounds().Dy()
	}
	return all
}
