package mail

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
)

func TestNoticeRefuses(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		kind  mobile.NoticeKind
		spoil func(*NoticeMail)
		field string
	}{
		"TwoRecipients":         {mobile.NoticePortalLink, func(m *NoticeMail) { m.To = "ada@example.com, eve@example.com" }, "to"},
		"ReturnInName":          {mobile.NoticePortalLink, func(m *NoticeMail) { m.CustomerName = "Ada\rBcc: eve@example.com" }, "customer_name"},
		"NoTenant":              {mobile.NoticePortalLink, func(m *NoticeMail) { m.Tenant.DisplayName = "" }, "tenant.display_name"},
		"NoSender":              {mobile.NoticePortalLink, func(m *NoticeMail) { m.Tenant.MailFrom = "" }, "tenant.mail_from"},
		"ReplyToNobody":         {mobile.NoticePortalLink, func(m *NoticeMail) { m.Tenant.MailReplyTo = "nobody" }, "tenant.mail_reply_to"},
		"NoSupportPhone":        {mobile.NoticePortalLink, func(m *NoticeMail) { m.Tenant.SupportPhone = "" }, "tenant.support_phone"},
		"NoSupportHours":        {mobile.NoticePortalLink, func(m *NoticeMail) { m.Tenant.SupportHours = " " }, "tenant.support_hours"},
		"ScriptLink":            {mobile.NoticePortalLink, func(m *NoticeMail) { m.PortalLink = "javascript:alert(1)" }, "portal_link"},
		"NoLink":                {mobile.NoticePortalLink, func(m *NoticeMail) { m.PortalLink = "" }, "portal_link"},
		"PersonalNoticeID":      {mobile.NoticePortalLink, func(m *NoticeMail) { m.NoticeID = "ada@example.com" }, "notice_id"},
		"PersonalActivationID":  {mobile.NoticePortalLink, func(m *NoticeMail) { m.ActivationID = "+1 212" }, "activation_id"},
		"NumberNotE164":         {mobile.NoticePortalLink, func(m *NoticeMail) { m.Number = "2125550123" }, "number"},
		"NoKind":                {mobile.NoticePortalLink, func(m *NoticeMail) { m.Kind = "" }, "kind"},
		"AnotherKind":           {mobile.NoticePortalLink, func(m *NoticeMail) { m.Kind = "GREETING" }, "kind"},
		"KindWithQRCode":        {mobile.NoticePortalLink, func(m *NoticeMail) { m.Kind = mobile.NoticeActivation }, "kind"},
		"NewlineInDonor":        {mobile.NoticeDetailsNeeded, func(m *NoticeMail) { m.DonorName = "AT\nT" }, "donor_name"},
		"LongDonor":             {mobile.NoticeDetailsNeeded, func(m *NoticeMail) { m.DonorName = strings.Repeat("a", 101) }, "donor_name"},
		"BidirectionalHint":     {mobile.NoticeDetailsNeeded, func(m *NoticeMail) { m.Hint = "Dial\u202e *PORT" }, "hint"},
		"LongHint":              {mobile.NoticeDetailsNeeded, func(m *NoticeMail) { m.Hint = strings.Repeat("a", 2001) }, "hint"},
		"BlankLabel":            {mobile.NoticeDetailsNeeded, func(m *NoticeMail) { m.Ask[1] = " " }, "ask[1]"},
		"NoNumberToBring":       {mobile.NoticeDetailsNeeded, func(m *NoticeMail) { m.Number = "" }, "number"},
		"NothingAsked":          {mobile.NoticeDetailsNeeded, func(m *NoticeMail) { m.Ask = nil }, "ask"},
		"DetailsNoDeadline":     {mobile.NoticeDetailsNeeded, func(m *NoticeMail) { m.Deadline = time.Time{} }, "deadline"},
		"NoTimeZone":            {mobile.NoticeDetailsNeeded, func(m *NoticeMail) { m.Tenant.TimeZone = "" }, "tenant.time_zone"},
		"UnknownTimeZone":       {mobile.NoticeDetailsNeeded, func(m *NoticeMail) { m.Tenant.TimeZone = "Mars/Olympus" }, "tenant.time_zone"},
		"NothingToDo":           {mobile.NoticeActionRequired, func(m *NoticeMail) { m.Message = "" }, "message"},
		"NULInMessage":          {mobile.NoticeActionRequired, func(m *NoticeMail) { m.Message = "Please\x00" }, "message"},
		"TwoLinesInMessage":     {mobile.NoticeActionRequired, func(m *NoticeMail) { m.Message = "Please\ncall" }, "message"},
		"ActionNoDeadline":      {mobile.NoticeActionRequired, func(m *NoticeMail) { m.Deadline = time.Time{} }, "deadline"},
		"ReminderOfNothing":     {mobile.NoticeReminder, func(m *NoticeMail) { m.Message, m.Ask = "", nil }, "message"},
		"ReminderNoDeadline":    {mobile.NoticeReminder, func(m *NoticeMail) { m.Deadline = time.Time{} }, "deadline"},
		"ReminderNoNumber":      {mobile.NoticeReminder, func(m *NoticeMail) { m.Message, m.Number = "", "" }, "number"},
		"NoNumberThatHasMoved":  {mobile.NoticeNumberMoved, func(m *NoticeMail) { m.Number = "" }, "number"},
		"LongReasonForTheEnd":   {mobile.NoticeDidNotWorkOut, func(m *NoticeMail) { m.Message = strings.Repeat("a", 2001) }, "message"},
		"NewlineInCustomerName": {mobile.NoticeNumberMoved, func(m *NoticeMail) { m.CustomerName = "Ada\nEve" }, "customer_name"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := noticeOf(t, c.kind)
			c.spoil(&m)

			_, err := m.Compose()

			if !errors.Is(err, ErrFields) {
				t.Fatalf("got %v, want %v", err, ErrFields)
			}
			if got, want := fieldsOf(err), []string{c.field}; !slices.Equal(got, want) {
				t.Errorf("got violations of %v, want %v", got, want)
			}
		})
	}
}

// TestNoticeNeedsNoMore: what a kind does not read may be missing.
func TestNoticeNeedsNoMore(t *testing.T) {
	t.Parallel()

	for _, kind := range []mobile.NoticeKind{mobile.NoticeDidNotWorkOut, mobile.NoticePortalLink, mobile.NoticeNumberMoved} {
		m := noticeOf(t, kind)
		m.CustomerName, m.DonorName, m.Message, m.Hint, m.Ask, m.Deadline, m.Tenant.TimeZone = "", "", "", "", nil, time.Time{}, ""
		if kind != mobile.NoticeNumberMoved {
			m.Number = ""
		}
		composeNotice(t, m)
	}
}

// TestNoticeTellsAll: a notice with many faults is refused for all of them at once.
func TestNoticeTellsAll(t *testing.T) {
	t.Parallel()

	_, err := NoticeMail{Kind: mobile.NoticeDetailsNeeded}.Compose()

	want := []string{
		"activation_id", "ask", "deadline", "notice_id", "number", "portal_link", "tenant.display_name", "tenant.mail_from",
		"tenant.support_hours", "tenant.support_phone", "tenant.time_zone", "to",
	}
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(fieldsOf(err)))); diff != "" {
		t.Errorf("violations (-want +got):\n%s", diff)
	}
}

func fieldsOf(err error) (fields []string) {
	for _, v := range fault.Of(err).Violations {
		fields = append(fields, v.Field)
	}
	return fields
}
