package wiretest

import (
	"os"
	"regexp"
	"testing"
)

// Row is a line of a table in words: what came back, and what that means.
type Row struct{ Situation, Verdict string }

// tableRow is a line of a comment's preformatted text with at least two columns.
var tableRow = regexp.MustCompile(`(?m)^//\t(\S.*?) {2,}(\S.*?)(?: {2,}.*)?$`)

// Table reads the rows of the tables in a file's comments: lines that begin with a tab and
// have two columns, or three of which the last is a remark.
func Table(tb testing.TB, file string) []Row {
	tb.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	var rows []Row
	for _, match := range tableRow.FindAllSubmatch(source, -1) {
		rows = append(rows, Row{string(match[1]), string(match[2])})
	}
	if len(rows) == 0 {
		tb.Fatalf("%s has no table", file)
	}
	return rows
}
