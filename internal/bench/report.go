package main

import (
	"fmt"
	"io"
	"strings"
)

// report is what a run found.
type report struct {
	Machine     machine `json:"machine"`
	Rows        []row   `json:"rows"`
	TookSeconds float64 `json:"took_seconds"`
}

// row is one thing and its floor.
type row struct {
	What  string  `json:"what"`
	Ours  figures `json:"dialtone"`
	Bare  string  `json:"floor_is"`
	Floor figures `json:"floor"`
}

// rateRatio is how many times the floor's rate ours is; 0 where there are no rates.
func (r row) rateRatio() float64 {
	if r.Floor.PerSecond == 0 {
		return 0
	}
	return r.Ours.PerSecond / r.Floor.PerSecond
}

// timeRatio is how many times the floor's time ours takes, at the median.
func (r row) timeRatio() float64 {
	if r.Floor.P50 == 0 {
		return 0
	}
	return r.Ours.P50 / r.Floor.P50
}

// table writes the report as Markdown.
func (r report) table(out io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", r.Machine)
	lines := [][]string{{
		"what", "n", "per s", "p50 ms", "p99 ms", "floor", "n", "per s", "p50 ms", "p99 ms", "rate ÷ floor", "p50 ÷ floor",
	}}
	for _, row := range r.Rows {
		line := append([]string{row.What}, row.Ours.cells()...)
		line = append(append(line, row.Bare), row.Floor.cells()...)
		lines = append(lines, append(line, ratio(row.rateRatio()), ratio(row.timeRatio())))
	}
	writeTable(&b, lines)
	fmt.Fprintf(&b, "\nThe run took %.0f s. Percentiles are nearest ranks.\n", r.TookSeconds)
	_, err := io.WriteString(out, b.String())
	return err
}

func (f figures) cells() []string {
	rate := "–"
	if f.PerSecond > 0 {
		rate = short(f.PerSecond)
	}
	return []string{fmt.Sprint(f.Samples), rate, short(f.P50), short(f.P99)}
}

func short(f float64) string { return fmt.Sprintf("%.*f", decimals(f), f) }

// decimals keeps some three digits.
func decimals(f float64) int {
	switch {
	case f < 10:
		return 2
	case f < 100:
		return 1
	default:
		return 0
	}
}

func ratio(f float64) string {
	if f == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", f)
}

// writeTable writes Markdown whose columns also line up as text.
func writeTable(b *strings.Builder, lines [][]string) {
	widths := make([]int, len(lines[0]))
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	for n, line := range lines {
		for i, cell := range line {
			pad := strings.Repeat(" ", widths[i]-len([]rune(cell)))
			if isText(i) {
				fmt.Fprintf(b, "| %s%s ", cell, pad)
			} else {
				fmt.Fprintf(b, "| %s%s ", pad, cell)
			}
		}
		b.WriteString("|\n")
		if n > 0 {
			continue
		}
		for i, width := range widths {
			if isText(i) {
				fmt.Fprintf(b, "|%s", strings.Repeat("-", width+2))
			} else {
				fmt.Fprintf(b, "|%s:", strings.Repeat("-", width+1))
			}
		}
		b.WriteString("|\n")
	}
}

// isText tells the columns of words from those of numbers.
func isText(column int) bool { return column == 0 || column == 5 }
