package mobile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
)

// Who acts, what is asked, which fields and which action: the table of port.proto.
func TestPortReason_Table(t *testing.T) {
	t.Parallel()
	got := map[mobile.PortReason]string{}
	for _, r := range mobile.PortReasons() {
		got[r] = strings.TrimSpace(fmt.Sprintf("%s %s %v %s", r.WaitsFor(), r.Prompt(), r.Fields(), r.Action()))
	}
	want := map[mobile.PortReason]string{
		mobile.PortAccountNumberInvalid: "CUSTOMER CORRECT_INFO [account_number]",
		mobile.PortPINInvalid:           "CUSTOMER CORRECT_INFO [pin pin_make_date]",
		mobile.PortPINExpired:           "CUSTOMER CORRECT_INFO [pin pin_make_date]",
		mobile.PortZIPInvalid:           "CUSTOMER CORRECT_INFO [account_zip]",
		mobile.PortAddressInvalid:       "CUSTOMER CORRECT_INFO [address_line city region]",
		mobile.PortNameInvalid:          "CUSTOMER CORRECT_INFO [first_name last_name]",
		mobile.PortIdentityMismatch:     "CUSTOMER CORRECT_INFO [first_name last_name address_line city region account_zip account_number pin]",
		mobile.PortNumberLocked:         "CUSTOMER ACT_AT_DONOR [] LOCK_TAKEN_OFF",
		mobile.PortNumberInactive:       "CUSTOMER ACT_AT_DONOR [] LINE_REACTIVATED",
		mobile.PortNumberUnknown:        "CUSTOMER DECIDE []",
		mobile.PortNotPortable:          "CUSTOMER DECIDE []",
		mobile.PortDuplicate:            "OPERATOR NONE []",
		mobile.PortSameNetwork:          "OPERATOR NONE []",
		mobile.PortDonorDelay:           "DONOR NONE []",
		mobile.PortSchedule:             "DIALTONE NONE []",
		mobile.PortOther:                "OPERATOR NONE []",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// The customer is asked something exactly when the customer must act, and the words of each
// reason are whole.
func TestPortReason_Words(t *testing.T) {
	t.Parallel()
	for _, r := range mobile.PortReasons() {
		if asked := r.Prompt() != mobile.PromptNone; asked != (r.WaitsFor() == mobile.PartyCustomer) {
			t.Errorf("%s waits for %s and asks %s", r, r.WaitsFor(), r.Prompt())
		}
		for _, text := range []string{r.ForCustomer(), r.ForOperators()} {
			if !strings.HasSuffix(text, ".") || strings.ContainsAny(text, "{}") || strings.Contains(text, "  ") {
				t.Errorf("%s says %q", r, text)
			}
		}
		if mobile.ReasonText(string(r)) != r.ForOperators() {
			t.Errorf("ReasonText of %s is %q", r, mobile.ReasonText(string(r)))
		}
		if f := r.Refusal(); f.Kind != fault.Conflict || f.Reason != string(r) || mobile.RefusalNamed(string(r)).Public != f.Public {
			t.Errorf("%s is refused by %+v", r, f)
		}
		if pin := slices.Contains(r.Fields(), mobile.FieldPINMakeDate); pin != r.IsPIN() {
			t.Errorf("%s is about a PIN: %v", r, r.IsPIN())
		}
	}
}

// What a carrier may say one day and we do not know goes to an operator.
func TestPortReason_Unknown(t *testing.T) {
	t.Parallel()
	if r := mobile.PortReason("NEW"); r.Known() || r.WaitsFor() != mobile.PartyOperator || r.Prompt() != mobile.PromptNone {
		t.Errorf("waits for %s", r.WaitsFor())
	}
}
