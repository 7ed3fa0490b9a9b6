package cli

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
)

const (
	// iccidFileBytesMax bounds a file; it is some million ICCIDs.
	iccidFileBytesMax = 32 << 20
	// badLinesMax bounds how many bad lines are told.
	badLinesMax = 50
)

// iccidLine is an ICCID and where it stands.
type iccidLine struct {
	number int
	iccid  string
}

// readICCIDFile reads a file of ICCIDs, or stdin for "-". It refuses a file with bad lines
// and names them all.
func readICCIDFile(stdin io.Reader, path string) ([]iccidLine, error) {
	from := stdin
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("open the file of ICCIDs: %w", err)
		}
		defer file.Close()
		from = file
	}
	lines, bad, err := readICCIDs(from)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", path, err)
	case len(bad) > 0:
		return nil, badLines(path, bad)
	case len(lines) == 0:
		return nil, fmt.Errorf("%s has no ICCID", path)
	}
	return lines, nil
}

func badLines(path string, bad []string) error {
	text := path + " has lines that cannot be taken, so nothing was imported:"
	for _, line := range bad[:min(len(bad), badLinesMax)] {
		text += "\n  " + line
	}
	if more := len(bad) - badLinesMax; more > 0 {
		text += fmt.Sprintf("\n  and %d more", more)
	}
	return fmt.Errorf("%s", text)
}

// readICCIDs reads the first column of each line that is not blank, no comment, and not the
// heading that tables begin with.
func readICCIDs(from io.Reader) (lines []iccidLine, bad []string, err error) {
	limited := &io.LimitedReader{R: from, N: iccidFileBytesMax + 1}
	scanner := bufio.NewScanner(limited)
	seen := map[string]int{}
	started := false
	for number := 1; scanner.Scan(); number++ {
		column := firstColumn(strings.TrimPrefix(scanner.Text(), "\ufeff"))
		if column == "" || strings.HasPrefix(column, "#") {
			continue
		}
		if heading := !started && strings.EqualFold(column, "iccid"); heading {
			started = true
			continue
		}
		started = true
		iccid := strings.TrimRight(column, "Ff")
		before := seen[iccid]
		switch {
		case !looksLikeICCID(column):
			bad = append(bad, fmt.Sprintf("line %d: not an ICCID: 18 to 20 digits, and of 19 digits the last is a check digit", number))
		case before > 0:
			bad = append(bad, fmt.Sprintf("line %d: the same ICCID as line %d", number, before))
		default:
			seen[iccid] = number
			lines = append(lines, iccidLine{number: number, iccid: iccid})
		}
	}
	if limited.N == 0 {
		return nil, nil, fmt.Errorf("it is over %d MiB: import it in parts", iccidFileBytesMax>>20)
	}
	return lines, bad, scanner.Err()
}

// firstColumn is what stands before the first comma, semicolon or tab, without quotes.
func firstColumn(line string) string {
	if at := strings.IndexAny(line, ",;\t"); at >= 0 {
		line = line[:at]
	}
	return strings.TrimSpace(strings.Trim(strings.TrimSpace(line), `"`))
}

// looksLikeICCID makes the server's own check (ITU-T E.118), so that a file that is sent in
// several calls is refused as a whole.
func looksLikeICCID(text string) bool {
	digits := strings.TrimRight(text, "Ff")
	switch {
	case len(digits) < 18 || len(digits) > 20 || strings.Trim(digits, "0123456789") != "":
		return false
	case len(digits) < len(text) && len(text) != 20:
		return false // padding fills ten bytes
	}
	return len(digits) != 19 || luhn(digits)
}

// luhn tells whether the last digit is the check digit of those before it.
func luhn(digits string) bool {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			d *= 2
		}
		sum += d/10 + d%10
	}
	return sum%10 == 0
}
