package browsertest

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Shot is one picture of a page.
type Shot struct {
	URL string
	// Width is in CSS pixels, and so is Height, that of the window; 0 means a low one. The
	// picture is as high as the page.
	Width, Height int
	// Scale is how many device pixels a CSS pixel has; 0 means two.
	Scale float64
	// Scheme is the colour scheme: light or dark.
	Scheme string
	// Ready is an expression that is true once the page shows what is wanted; empty: once it
	// is loaded and painted. Only the context of the browser bounds the wait.
	Ready string
	// Settle is waited once more, for what a page draws in frames that nobody can look into.
	Settle time.Duration
	// Style is laid over the page, to hide what is not wanted.
	Style string
	// From and Until are the selectors of the first and the last element that are wanted;
	// empty means from the top, to the end.
	From, Until string
}

const (
	windowHeight = 480
	windowScale  = 2
	// phone is the width below which a page is told that it is on a phone.
	phone = 600
	// margin is what is left above the first element and under the last one.
	margin = 24
)

// Shoot draws the page as PNG.
func (b *Browser) Shoot(s Shot) ([]byte, error) {
	if err := b.open(s); err != nil {
		return nil, err
	}
	clip, err := b.measure(s)
	if err != nil {
		return nil, err
	}
	picture, err := b.call("Page.captureScreenshot", map[string]any{
		"format": "png", "captureBeyondViewport": true,
		"clip": clip,
	})
	if err != nil {
		return nil, err
	}
	data, _ := picture["data"].(string)
	return base64.StdEncoding.DecodeString(data)
}

// painted is kept two frames later: then frames have their height and everything is drawn.
const painted = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"

// open loads the page and returns when it is ready.
func (b *Browser) open(s Shot) error {
	height, scale := s.Height, s.Scale
	if height == 0 {
		height = windowHeight
	}
	if scale == 0 {
		scale = windowScale
	}
	for _, step := range []struct {
		method string
		params map[string]any
	}{
		{"Emulation.setDeviceMetricsOverride", map[string]any{"width": s.Width, "height": height, "deviceScaleFactor": scale, "mobile": s.Width < phone}},
		{"Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": s.Scheme}}}},
		{"Emulation.setTimezoneOverride", map[string]any{"timezoneId": "UTC"}},
		{"Page.navigate", map[string]any{"url": s.URL}},
	} {
		if _, err := b.call(step.method, step.params); err != nil {
			return err
		}
	}
	if _, err := b.read(func(f frame) bool { return f.Method == "Page.loadEventFired" }); err != nil {
		return err
	}
	if s.Ready != "" {
		if err := b.Do(fmt.Sprintf("new Promise(done => { const look = () => (%s) ? done(true) : setTimeout(look, 100); look() })", s.Ready)); err != nil {
			return err
		}
	}
	if s.Style != "" {
		if err := b.Do(fmt.Sprintf("document.head.appendChild(document.createElement('style')).textContent = %q, true", s.Style)); err != nil {
			return err
		}
	}
	settled := fmt.Sprintf("new Promise(done => setTimeout(() => done(true), %d))", s.Settle.Milliseconds())
	return errors.Join(b.Do(settled), b.Do(painted))
}

// Do evaluates an expression on the page, and waits for it when it is a promise. It must
// come to true.
func (b *Browser) Do(expression string) error {
	var done bool
	if err := b.evaluate(expression, &done); err != nil {
		return err
	}
	if !done {
		return errors.New(expression + " did not come to true")
	}
	return nil
}

// clip is a part of a page.
type clip struct {
	X      float64 `json:"x"`
	Y      float64 `json:"y"`
	Width  float64 `json:"width"`
	Height float64 `json:"height"`
	Scale  float64 `json:"scale"`
}

// measure is wider than asked for when something sticks out, so that it is seen.
func (b *Browser) measure(s Shot) (clip, error) {
	c := clip{Scale: 1}
	bottom := 0.0
	width := "document.documentElement.scrollWidth"
	below := "document.documentElement.scrollHeight"
	if s.Until != "" {
		below = fmt.Sprintf("document.querySelector(%q).getBoundingClientRect().bottom + %d", s.Until, margin)
	}
	above := "0"
	if s.From != "" {
		above = fmt.Sprintf("document.querySelector(%q).getBoundingClientRect().top - %d", s.From, margin)
	}
	err := errors.Join(b.evaluate(width, &c.Width), b.evaluate(above, &c.Y), b.evaluate(below, &bottom))
	c.Height = bottom - c.Y
	return c, err
}

// evaluate runs an expression and reads its value.
func (b *Browser) evaluate(expression string, value any) error {
	answer, err := b.call("Runtime.evaluate", map[string]any{
		"expression": expression, "awaitPromise": true, "returnByValue": true,
	})
	if err != nil {
		return err
	}
	if thrown, failed := answer["exceptionDetails"]; failed {
		return fmt.Errorf("%s threw %v", expression, thrown)
	}
	result, _ := answer["result"].(map[string]any)
	text, err := json.Marshal(result["value"])
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, value); err != nil {
		return fmt.Errorf("%s gave %s: %w", expression, text, err)
	}
	return nil
}
