package mail

import (
	"encoding/base64"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/mobile"
)

var update = flag.Bool("update", false, "write the golden files anew")

// newLine is a mail in which nothing is missing.
func newLine(tb testing.TB) ActivationMail {
	tb.Helper()
	return ActivationMail{
		NoticeID:     "0198c1a2-7d10-7cc3-9b51-2f4ab8c0d9aa",
		ActivationID: "0198c1a2-7d10-7cc3-9b51-2f4ab8c0d901",
		Tenant: mobile.Tenant{
			DisplayName:  "Northwind Mobile",
			MailFrom:     "hello@northwind.example",
			MailReplyTo:  "help@northwind.example",
			SupportPhone: "+12125550100",
			SupportHours: "Monday to Friday, 8 am to 8 pm Eastern",
			TimeZone:     "America/New_York",
		},
		CustomerName: "Ada Lovelace",
		To:           "ada@example.com",
		Number:       "+12125550123",
		Code:         codeOf(tb, "rsp.northwind.example", "QR-G5MAT-7HKWX-2P9DD"),
		PortalLink:   "https://my.northwind.example/activation/k7Jq2v",
	}
}

func ported(tb testing.TB) ActivationMail {
	tb.Helper()
	m := newLine(tb)
	m.Ported = true
	return m
}

// portedOn is a port whose due time is known.
func portedOn(tb testing.TB) ActivationMail {
	tb.Helper()
	m := ported(tb)
	m.Moves = time.Date(2026, time.September, 30, 14, 0, 0, 0, time.UTC)
	return m
}

func codeOf(tb testing.TB, address, matching string) mobile.ActivationCode {
	tb.Helper()
	code, err := mobile.NewActivationCode(address, matching)
	if err != nil {
		tb.Fatal(err)
	}
	return code
}

func compose(tb testing.TB, m ActivationMail) Message {
	tb.Helper()
	message, err := m.Compose()
	if err != nil {
		tb.Fatalf("compose: %v", err)
	}
	return message
}

// qrOf is the PNG of the QR code, as it was mailed.
func qrOf(tb testing.TB, m Message) []byte {
	tb.Helper()
	for _, a := range m.head.Attachments {
		if a.ContentID != qrContentID {
			continue
		}
		png, err := base64.StdEncoding.DecodeString(a.Content)
		if err != nil {
			tb.Fatal(err)
		}
		return png
	}
	tb.Fatal("the mail has no QR code")
	return nil
}

// golden compares got with a file of testdata; go test -update writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got, go test -update accepts it):\n%s", path, diff)
	}
}
