package mobile_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/mobile"
)

var update = flag.Bool("update", false, "write the golden files anew")

// simple is what a carrier wants for a simple port (47 CFR 52.36); wireline what it wants of a
// landline.
var (
	simple   = []mobile.PortingField{mobile.FieldAccountNumber, mobile.FieldPIN, mobile.FieldAccountZIP}
	wireline = []mobile.PortingField{
		mobile.FieldFirstName, mobile.FieldLastName, mobile.FieldAddressLine, mobile.FieldCity, mobile.FieldRegion,
		mobile.FieldAccountZIP, mobile.FieldAccountNumber,
	}
)

// held are the masks of what Ada has said to the first question.
func held(fields []mobile.PortingField) map[mobile.PortingField]string {
	all := mobile.PortingInfo{
		AccountNumber: "2875-4321", PIN: "004321", AccountZIP: "10001", FirstName: "Ada", LastName: "Lovelace",
		AddressLine: "12 Main St", City: "New York", Region: "NY", NumberInService: new(true), PINMakeDate: "2026-03-09",
		AcceptsLineLosses: true,
	}.Masks()
	maps.DeleteFunc(all, func(field mobile.PortingField, _ string) bool { return !slices.Contains(fields, field) })
	return all
}

// Every question to every donor's customers, as they read it. The words are what this test is
// for: read the difference before you update.
func TestPortQuestion_Golden(t *testing.T) {
	t.Parallel()
	for _, donor := range mobile.Donors() {
		t.Run(string(donor.Code), func(t *testing.T) {
			t.Parallel()
			var b strings.Builder
			types := []mobile.NumberType{mobile.NumberWireless}
			if slices.Contains([]mobile.DonorCode{"att", "google_voice", "xfinity", mobile.DonorOther}, donor.Code) {
				types = append(types, mobile.NumberLandline, mobile.NumberVoIP)
			}
			for _, numberType := range types {
				required := simple
				if numberType != mobile.NumberWireless {
					required = wireline
				}
				facts := mobile.PortFacts{Donor: donor, Number: "+12127365000", NumberType: numberType, Required: required}
				first := mobile.NewPortQuestion(facts)
				write(&b, numberType, first)
				facts.Held = held(first.Fields)
				for _, reason := range mobile.PortReasons() {
					facts.Reason = string(reason)
					write(&b, numberType, mobile.NewPortQuestion(facts))
				}
			}
			golden(t, filepath.Join("questions", string(donor.Code)+".txt"), b.String())
		})
	}
}

// What hangs on no donor: phones that cannot be used, and what an operator asks for.
func TestPortQuestion_GoldenRest(t *testing.T) {
	t.Parallel()
	verizon, _ := mobile.DonorByCode("verizon")
	facts := mobile.PortFacts{
		Donor: verizon, Number: "+12127365000", NumberType: mobile.NumberWireless, Required: simple, Held: held(mobile.PortingFields()),
	}
	var b strings.Builder
	for _, reason := range []string{"DEVICE_BLOCKED", "DEVICE_NOT_ESIM_CAPABLE", "DEVICE_NOT_SUPPORTED", "DEVICE_UNKNOWN", "DEVICE_ODD"} {
		facts.Reason = reason
		write(&b, "", mobile.NewPortQuestion(facts))
	}
	for _, choice := range []mobile.PortFacts{
		{Kind: mobile.PromptCorrectInfo},
		{Kind: mobile.PromptDecide},
		{Kind: mobile.PromptActAtDonor, Action: mobile.ActionTransferApproved},
		{Kind: mobile.PromptActAtDonor, Action: mobile.ActionLockTakenOff},
		{Kind: mobile.PromptActAtDonor, Action: mobile.ActionLineReactivated},
	} {
		facts.Reason, facts.Kind, facts.Action = string(mobile.PortOther), choice.Kind, choice.Action
		write(&b, "", mobile.NewPortQuestion(facts))
	}
	golden(t, filepath.Join("questions", "_rest.txt"), b.String())
}

// write writes a question as a person would copy it down.
func write(b *strings.Builder, t mobile.NumberType, q mobile.PortQuestion) {
	reason := q.Reason
	if reason == "" {
		reason = "(first)"
	}
	fmt.Fprintf(b, "# %s %s\n%s", t, reason, q.Kind)
	if q.Action != "" {
		fmt.Fprintf(b, " %s", q.Action)
	}
	fmt.Fprintf(b, "\n%s\n", q.Message)
	if q.DonorHint != "" {
		fmt.Fprintf(b, "> %s\n", q.DonorHint)
	}
	for _, field := range q.Form {
		marks := ""
		if field.Refused {
			marks += " !"
		}
		if field.Held {
			marks += " held " + field.Masked
		}
		if field.Secret {
			marks += " secret"
		}
		fmt.Fprintf(b, "- %s: %s [%s]%s\n", field.Field, field.Label, field.Hint, strings.ReplaceAll(marks, "held  ", "held "))
	}
	b.WriteString("\n")
}

// golden compares got with a file of testdata; go test -update writes it.
func golden(tb testing.TB, name, got string) {
	tb.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		tb.Error(diff)
	}
}

func TestCustomerActs(t *testing.T) {
	t.Parallel()
	want := map[mobile.PromptKind]string{
		mobile.PromptProvideInfo:   "[SUBMIT_PORTING_INFO CHANGE_NUMBER KEEP_NEW_NUMBER STOP_PORT]",
		mobile.PromptCorrectInfo:   "[SUBMIT_PORTING_INFO CHANGE_NUMBER KEEP_NEW_NUMBER STOP_PORT]",
		mobile.PromptActAtDonor:    "[CONFIRM_DONOR_ACTION CHANGE_NUMBER KEEP_NEW_NUMBER STOP_PORT]",
		mobile.PromptDecide:        "[CHANGE_NUMBER KEEP_NEW_NUMBER STOP_PORT]",
		mobile.PromptCorrectDevice: "[CHANGE_DEVICE STOP_PORT]",
		mobile.PromptNone:          "[KEEP_NEW_NUMBER STOP_PORT]",
	}
	for _, kind := range mobile.PromptKinds() {
		for _, state := range mobile.PortStates() {
			got := fmt.Sprint(mobile.CustomerActs(kind, state))
			switch state {
			case mobile.PortAwaitingInfo, mobile.PortSubmitted, mobile.PortDelayed, mobile.PortRefused:
				if got != want[kind] {
					t.Errorf("%s while %s: %s", kind, state, got)
				}
			case mobile.PortConfirmed, mobile.PortCompleted, mobile.PortCancelling, mobile.PortCancelled, mobile.PortExpired:
				if got != "[]" {
					t.Errorf("%s while %s: %s", kind, state, got)
				}
			}
		}
	}
}

// Every question asks in the order of a form, refuses only what it asks, and is whole.
func TestPortQuestion_IsWhole(t *testing.T) {
	t.Parallel()
	reasons := append([]mobile.PortReason{""}, mobile.PortReasons()...)
	for _, donor := range mobile.Donors() {
		for _, reason := range reasons {
			for _, numberType := range []mobile.NumberType{"", mobile.NumberWireless, mobile.NumberLandline, mobile.NumberVoIP} {
				for _, required := range [][]mobile.PortingField{nil, simple, wireline, mobile.PortingFields(), {"unheard_of"}} {
					q := mobile.NewPortQuestion(mobile.PortFacts{Reason: string(reason), Donor: donor, NumberType: numberType, Required: required})
					checkQuestion(t, q)
				}
			}
		}
	}
}

func checkQuestion(tb testing.TB, q mobile.PortQuestion) {
	tb.Helper()
	order := func(f mobile.PortingField) int { return slices.Index(mobile.PortingFields(), f) }
	var last int
	for i, field := range q.Form {
		at := order(field.Field)
		if field.Field != q.Fields[i] || at < last || field.Label == "" || field.Refused != slices.Contains(q.Refused, field.Field) {
			tb.Errorf("%s: %v, %+v", q.Reason, q.Fields, field)
		}
		last = at
	}
	for _, field := range q.Refused {
		if !slices.Contains(q.Fields, field) {
			tb.Errorf("%s refuses %s and does not ask for it", q.Reason, field)
		}
	}
	if q.Message == "" || strings.ContainsAny(q.Message+q.DonorHint, "{}") || (q.Kind == mobile.PromptActAtDonor) != (q.Action != "") {
		tb.Errorf("%+v", q)
	}
}
