package server

import (
	"regexp"
	"strings"
	"testing"

	"github.com/dialtone/dialtone/internal/mobile"
)

// Every word of the customer's side has a value in the schema.
func TestPortalWords_AreTheSchemas(t *testing.T) {
	t.Parallel()
	known := map[string]int32{}
	for _, s := range customerActs() {
		known["act "+string(s)] = int32(portalAct(s))
	}
	for _, s := range verdicts() {
		known["verdict "+string(s)] = int32(submissionVerdict(s))
	}
	for _, s := range []mobile.DonorAction{mobile.ActionLockTakenOff, mobile.ActionLineReactivated, mobile.ActionTransferApproved} {
		known["donor action "+string(s)] = int32(donorAction(s))
	}
	for what, value := range known {
		if value == 0 {
			t.Errorf("the schema has no %s", what)
		}
	}
}

func customerActs() []mobile.CustomerAct {
	return []mobile.CustomerAct{
		mobile.ActSubmitPortingInfo, mobile.ActConfirmDonorAction, mobile.ActChangeNumber, mobile.ActChangeDevice,
		mobile.ActKeepNewNumber, mobile.ActStopPort,
	}
}

func verdicts() []mobile.SubmissionVerdict {
	return []mobile.SubmissionVerdict{
		mobile.VerdictAccepted, mobile.VerdictDuplicate, mobile.VerdictUnchanged, mobile.VerdictStale, mobile.VerdictTooLate,
	}
}

// The customer reads a sentence wherever things stand, in words of the house and not of the
// engine room.
func TestPortalWords(t *testing.T) {
	t.Parallel()
	said := map[string]string{}
	for _, act := range customerActs() {
		for _, verdict := range verdicts() {
			said[string(act)+" "+string(verdict)] = verdictWords(act, verdict, false)
		}
	}
	for _, state := range mobile.States() {
		c := customer{Activation: mobile.Activation{State: state}}
		said["a new line "+string(state)] = c.sentence()
		for _, port := range mobile.PortStates() {
			for _, reason := range append(mobile.PortReasons(), "") {
				c.Port = &mobile.Port{State: port, Donor: "att", Number: "+12127365000", Reason: reason}
				said[string(state)+" "+string(port)+" "+string(reason)] = c.sentence()
			}
		}
	}
	jargon := regexp.MustCompile(`[{}]|_|\b(activation_id|port|donor|carrier|workflow|operator|prompt|profile|undo)\b`)
	for what, words := range said {
		if words == "" || !strings.HasSuffix(words, ".") || jargon.MatchString(words) {
			t.Errorf("%s: %q", what, words)
		}
	}
}
