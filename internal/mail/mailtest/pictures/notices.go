package main

import (
	"strings"
	"time"

	"github.com/dialtone/dialtone/internal/mail"
	"github.com/dialtone/dialtone/internal/mobile"
)

// notices are the other mails, each kind and each way in which it can read.
func notices() []example {
	all := []example{
		{"details-needed", notice(mobile.NoticeDetailsNeeded, asked)},
		{"action-required", notice(mobile.NoticeActionRequired, asked, func(m *mail.NoticeMail) {
			m.Message = "AT&T says that the Number Transfer PIN is wrong or too old. Please get a new one from AT&T and enter it here soon."
			m.AttemptsLeft = 2
		})},
		{"action-required-lock", notice(mobile.NoticeActionRequired, locked)},
		{"action-required-decide", notice(mobile.NoticeActionRequired, func(m *mail.NoticeMail) {
			m.Message = "We could not bring your number over from AT&T. Your old line keeps working as it is. You can bring another number, take a new one, or stop here."
		})},
		{"action-required-device", notice(mobile.NoticeActionRequired, device)},
		{"reminder", notice(mobile.NoticeReminder, locked)},
		{"reminder-details", notice(mobile.NoticeReminder, asked)},
		{"did-not-work-out", notice(mobile.NoticeDidNotWorkOut, func(m *mail.NoticeMail) {
			m.Message = "The details that AT&T asks for were not given in time."
		})},
		{"did-not-work-out-new-line", notice(mobile.NoticeDidNotWorkOut, device)},
		{"portal-link", notice(mobile.NoticePortalLink)},
		{"number-moved", notice(mobile.NoticeNumberMoved)},
		{"longest-notice", longestNotice()},
	}
	return all
}

func notice(kind mobile.NoticeKind, changes ...func(*mail.NoticeMail)) mail.NoticeMail {
	line := newLine()
	m := mail.NoticeMail{
		NoticeID: line.NoticeID, ActivationID: line.ActivationID, Tenant: line.Tenant,
		CustomerName: line.CustomerName, To: line.To, Kind: kind, Number: line.Number, DonorName: "AT&T",
		Deadline:   time.Date(2026, time.October, 30, 21, 30, 0, 0, time.UTC),
		PortalLink: "https://my.northwind.example/mobile?t=dp_4Jq0ZkH1mYw7uXc2BvN9sRt6LgEoPaDf3iKyQxTz8Sh",
	}
	for _, change := range changes {
		change(&m)
	}
	return m
}

func asked(m *mail.NoticeMail) {
	m.Ask = []string{
		"Is this number still in service with AT&T?", "First name of the account holder", "Last name of the account holder",
		"ZIP code of your account", "Account number", "Number Transfer PIN",
	}
	m.Hint = "If Wireless Account Lock is on at AT&T, take it off first. Dial *PORT (*7678) from your AT&T phone and the PIN comes by text message, or request it in myAT&T under Profile, People & Permissions, Wireless, Transfer phone number. It usually has 6 digits. It is good for 4 days, so get it last."
}

func locked(m *mail.NoticeMail) {
	m.Message = "The number (212) 555-0123 is locked at AT&T (Wireless Account Lock). Please take the lock off there, then tell us that you have done it."
	m.Hint = "In the myAT&T app open Services, then Mobile Security, then Wireless Account Lock, and swipe to unlock your account."
}

func device(m *mail.NoticeMail) {
	m.Number, m.DonorName = "", ""
	m.Message = "This phone cannot hold an eSIM. Please give us the IMEI of another phone: dial *#06# on it to see the 15 digits."
}

// longestNotice is a mail whose every field is as long as it may be.
func longestNotice() mail.NoticeMail {
	m := notice(mobile.NoticeActionRequired, asked)
	long := longest(newLine())
	m.Tenant, m.CustomerName = long.Tenant, long.CustomerName
	m.DonorName, m.Message, m.Hint = strings.Repeat("W", 100), strings.Repeat("M", 200), strings.Repeat("Dial *PORT. ", 80)
	m.Ask = append(m.Ask, strings.Repeat("L", 100))
	m.PortalLink = "https://my.northwind.example/" + strings.Repeat("k", 400)
	m.AttemptsLeft = 1
	return m
}
