package server

import (
	"testing"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
)

// Every word of the domain that the door shows has a value in the schema.
func TestWords_AreTheSchemas(t *testing.T) {
	t.Parallel()
	known := map[string]int32{}
	for _, s := range mobile.States() {
		known["state "+string(s)] = int32(workflowState(s))
		if p := s.WaitsFor(); (p == mobile.PartyNobody) != s.Final() || !s.Final() && party(p) == 0 {
			t.Errorf("%s waits for %q", s, p)
		}
	}
	for _, s := range mobile.StepStates() {
		known["step "+string(s)] = int32(stepState(s))
	}
	for _, s := range mobile.InstallStates() {
		known["install "+string(s)] = int32(installState(s))
	}
	for _, s := range mobile.ProfileStates() {
		known["profile "+string(s)] = int32(profileState(s))
	}
	for _, s := range []mobile.NoticeState{mobile.NoticePrepared, mobile.NoticeSent, mobile.NoticeDelivered, mobile.NoticeBounced, mobile.NoticeNoWord} {
		known["notice "+string(s)] = int32(noticeDelivery(s))
	}
	for _, s := range []mobile.Severity{mobile.SeverityStranded, mobile.SeverityAtRisk, mobile.SeverityRoutine} {
		known["severity "+string(s)] = int32(severity(s))
	}
	for _, s := range []mobile.SubscriptionStatus{mobile.SubscriptionPending, mobile.SubscriptionActive, mobile.SubscriptionSuspended, mobile.SubscriptionCancelled} {
		known["subscription "+string(s)] = int32(subscriptionStatus(s))
	}
	for _, s := range []mobile.Principal{
		mobile.PrincipalAdmin, mobile.PrincipalBilling, mobile.PrincipalOperator, mobile.PrincipalConsole,
		mobile.PrincipalPortalBackend, mobile.PrincipalPortal,
	} {
		known["principal "+string(s)] = int32(principal(s))
	}
	for _, s := range []mobile.PlanKind{mobile.PlanMobile, mobile.PlanInternet, mobile.PlanOther} {
		known["plan "+string(s)] = int32(enum[dialtonev1.PlanKind](dialtonev1.PlanKind_value, "PLAN_KIND_", s))
	}
	for _, k := range []mobile.NoticeKind{
		mobile.NoticeDetailsNeeded, mobile.NoticeActionRequired, mobile.NoticeReminder, mobile.NoticeActivation,
		mobile.NoticeDidNotWorkOut, mobile.NoticePortalLink, mobile.NoticeNumberMoved,
	} {
		known["notice kind "+string(k)] = int32(noticeKind(k))
	}
	for _, s := range mobile.PortStates() {
		known["port "+string(s)] = int32(portState(s))
	}
	for _, n := range []mobile.NumberType{mobile.NumberWireless, mobile.NumberLandline, mobile.NumberVoIP} {
		known["number "+string(n)] = int32(numberType(n))
	}
	for _, k := range mobile.PromptKinds() {
		known["prompt "+string(k)] = int32(promptKind(k))
	}
	for _, r := range mobile.PortReasons() {
		known["party of "+string(r)] = int32(party(r.WaitsFor()))
	}
	known["new line"], known["port"] = int32(workflowType(mobile.TypeNewLine)), int32(workflowType(mobile.TypePortIn))

	for what, value := range known {
		if value == 0 {
			t.Errorf("the schema has no %s", what)
		}
	}
}

// Every reason of a port, and every follow-up, has words for people.
func TestWords_ForPeople(t *testing.T) {
	t.Parallel()
	for _, r := range mobile.PortReasons() {
		if mobile.ReasonText(string(r)) == "" {
			t.Errorf("%s has no words", r)
		}
	}
	for _, k := range []mobile.FollowUpKind{mobile.FollowUpResend, mobile.FollowUpReplace, mobile.FollowUpLink} {
		if title := k.Step().Title(); title == string(k.Step()) {
			t.Errorf("%s has no title", k)
		}
	}
}
