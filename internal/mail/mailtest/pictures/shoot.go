package main

import (
	"encoding/base64"
	"fmt"
)

// shot is one picture: a page, its width in CSS pixels, and the colour scheme.
type shot struct {
	url    string
	width  int
	scheme string
	// until is the selector of the last element that is wanted; empty wants the whole page.
	until string
}

// untilMargin is what is left under the last element.
const untilMargin = 24

// shoot draws the page, however high, at two device pixels a CSS pixel.
func (b *browser) shoot(s shot) ([]byte, error) {
	if err := b.open(s); err != nil {
		return nil, err
	}
	width, height, err := b.measure(s)
	if err != nil {
		return nil, err
	}
	picture, err := b.call("Page.captureScreenshot", map[string]any{
		"format": "png", "captureBeyondViewport": true,
		"clip": map[string]any{"x": 0, "y": 0, "width": width, "height": height, "scale": 1},
	})
	if err != nil {
		return nil, err
	}
	data, _ := picture["data"].(string)
	return base64.StdEncoding.DecodeString(data)
}

// open loads the page and returns when it is painted.
func (b *browser) open(s shot) error {
	for _, step := range []struct {
		method string
		params map[string]any
	}{
		{"Emulation.setDeviceMetricsOverride", map[string]any{"width": s.width, "height": 480, "deviceScaleFactor": 2, "mobile": s.width < 600}},
		{"Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": s.scheme}}}},
		{"Page.navigate", map[string]any{"url": s.url}},
	} {
		if _, err := b.call(step.method, step.params); err != nil {
			return err
		}
	}
	if _, err := b.read(func(f frame) bool { return f.Method == "Page.loadEventFired" }); err != nil {
		return err
	}
	// Two frames later the inbox's frame has its height and everything is painted.
	_, err := b.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(0))))")
	return err
}

// measure is wider than asked for when something sticks out, so that it is seen.
func (b *browser) measure(s shot) (width, height float64, err error) {
	width, err = b.evaluate("document.documentElement.scrollWidth")
	if err != nil {
		return 0, 0, err
	}
	if s.until == "" {
		height, err = b.evaluate("document.documentElement.scrollHeight")
		return width, height, err
	}
	height, err = b.evaluate(fmt.Sprintf("document.querySelector(%q).getBoundingClientRect().bottom", s.until))
	return width, height + untilMargin, err
}

// evaluate runs an expression that gives a number.
func (b *browser) evaluate(expression string) (float64, error) {
	answer, err := b.call("Runtime.evaluate", map[string]any{
		"expression": expression, "awaitPromise": true, "returnByValue": true,
	})
	if err != nil {
		return 0, err
	}
	result, _ := answer["result"].(map[string]any)
	number, ok := result["value"].(float64)
	if !ok {
		return 0, fmt.Errorf("%s gave no number", expression)
	}
	return number, nil
}
