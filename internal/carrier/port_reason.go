package carrier

import (
	"bytes"
	_ "embed"
	"encoding/csv"

	"github.com/dialtone/dialtone/internal/mobile"
)

// portReasonsCSV is the table from what a donor says to what we mean by it: data, for donors
// change their codes more often than we do. Its columns are the code, our reason, and where
// the code was seen.
//
//go:embed port_reasons.csv
var portReasonsCSV []byte

// portReasons is that table by code.
var portReasons = readPortReasons()

func readPortReasons() map[string]mobile.PortReason {
	rows, err := csv.NewReader(bytes.NewReader(portReasonsCSV)).ReadAll()
	if err != nil {
		panic("carrier: port_reasons.csv: " + err.Error()) //nolint:forbidigo // It is part of the program, and a test reads it.
	}
	reasons := make(map[string]mobile.PortReason, len(rows))
	for _, row := range rows[1:] {
		reasons[row[0]] = mobile.PortReason(row[1])
	}
	return reasons
}

// portReasonOf gives what a code means; one that the table does not have is OTHER.
func portReasonOf(code string) mobile.PortReason {
	if reason, known := portReasons[code]; known {
		return reason
	}
	return mobile.PortOther
}
