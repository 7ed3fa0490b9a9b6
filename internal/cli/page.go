package cli

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// lineWidth is where sentences are broken.
const lineWidth = 88

// page is a text that is being written.
type page struct {
	out   strings.Builder
	now   time.Time
	color bool
}

// tone is how a text looks where colours are allowed, as a number of ECMA-48.
type tone string

const (
	plain  tone = ""
	bold   tone = "1"
	dim    tone = "2"
	red    tone = "31"
	green  tone = "32"
	yellow tone = "33"
)

// cell is a text and its tone.
type cell struct {
	text string
	tone tone
}

// fact is a name and what is so. Those without a value are not shown.
type fact struct {
	name  string
	value string
	tone  tone
}

// glue is a blank at which no line is broken. Clean text does not have it.
const glue = "\x1f"

// String is all that was written.
func (p *page) String() string { return strings.ReplaceAll(p.out.String(), glue, " ") }

// paint gives a text its tone.
func (p *page) paint(text string, t tone) string {
	if !p.color || t == plain || text == "" {
		return text
	}
	return "\x1b[" + string(t) + "m" + text + "\x1b[0m"
}

// linef writes a line.
func (p *page) linef(format string, args ...any) {
	fmt.Fprintf(&p.out, format+"\n", args...)
}

// title begins a section.
func (p *page) title(text string) {
	p.linef("\n%s", p.paint(text, bold))
}

// facts writes aligned names and values.
func (p *page) facts(all ...fact) {
	width := 0
	for _, f := range all {
		if f.value != "" {
			width = max(width, utf8.RuneCountInString(f.name))
		}
	}
	for _, f := range all {
		if f.value == "" {
			continue
		}
		indent := strings.Repeat(" ", width+2)
		for i, line := range wrap(f.value, lineWidth-width-2) {
			if i == 0 {
				p.linef("%s%s%s", p.paint(f.name, dim), strings.Repeat(" ", width+2-utf8.RuneCountInString(f.name)), p.paint(line, f.tone))
				continue
			}
			p.linef("%s%s", indent, p.paint(line, f.tone))
		}
	}
}

// said writes sentences, broken and indented.
func (p *page) said(indent, text string) {
	for _, line := range wrap(text, lineWidth-len(indent)) {
		p.linef("%s%s", indent, line)
	}
}

// table writes rows whose columns are aligned; after each row its notes, indented.
func (p *page) table(indent string, rows []row) {
	var widths []int
	for _, r := range rows {
		for i, c := range r.cells {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(c.text))
		}
	}
	for _, r := range rows {
		line, pad := indent, 0
		for i, c := range r.cells {
			if c.text != "" {
				line += strings.Repeat(" ", pad) + p.paint(c.text, c.tone)
				pad = 0
			}
			if widths[i] > 0 {
				pad += widths[i] - utf8.RuneCountInString(c.text) + 2
			}
		}
		p.linef("%s", line)
		for _, note := range r.notes {
			p.said(indent+"    ", note)
		}
	}
}

// row is a line of a table and the sentences below it.
type row struct {
	cells []cell
	notes []string
}

// cells makes plain ones.
func cells(texts ...string) []cell {
	all := make([]cell, len(texts))
	for i, text := range texts {
		all[i].text = text
	}
	return all
}

// heading is the first row of a list.
func heading(texts ...string) row {
	all := cells(texts...)
	for i := range all {
		all[i].tone = dim
	}
	return row{cells: all}
}

// wrap breaks a text at blanks; its own line breaks stay.
func wrap(text string, width int) []string {
	var lines []string
	for paragraph := range strings.SplitSeq(text, "\n") {
		line := ""
		for word := range strings.FieldsSeq(paragraph) {
			switch {
			case line == "":
				line = word
			case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width:
				lines = append(lines, line)
				line = word
			default:
				line += " " + word
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// join puts what is not empty together.
func join(separator string, parts ...string) string {
	var full []string
	for _, part := range parts {
		if part != "" {
			full = append(full, part)
		}
	}
	return strings.Join(full, separator)
}
