package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/dialtone/dialtone/internal/mail"
	"github.com/dialtone/dialtone/internal/mail/mailtest"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/partnertest"
)

// scene is one page to be drawn.
type scene struct{ name, url string }

// stage sends the mails through a pretend SendGrid on a loopback port and returns what is
// to be seen: each mail alone, as a mail client shows it, with and without images, and the
// inbox.
func stage(ctx context.Context, work string) (scenes []scene, shut func(), err error) {
	journal, err := partnertest.OpenJournal(filepath.Join(work, "sendgrid.jsonl"))
	if err != nil {
		return nil, nil, err
	}
	sendgrid, err := mailtest.New(mailtest.Config{Journal: journal})
	if err != nil {
		return nil, nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	server := &http.Server{Handler: sendgrid}
	go func() { _ = server.Serve(listener) }()
	shut = func() {
		_ = server.Close()
		sendgrid.Close()
		_ = journal.Close()
	}
	base := "http://" + listener.Addr().String()
	for _, m := range mails() {
		s, err := send(ctx, base, m)
		if err != nil {
			shut()
			return nil, nil, err
		}
		alone := filepath.Join(work, "mail-"+m.NoticeID)
		sent := sendgrid.Mails()[len(sendgrid.Mails())-1]
		// A content id that nobody resolves is what a client shows that blocks images.
		if err := errors.Join(
			os.WriteFile(alone+".html", []byte(sent.Inlined()), 0o600),
			os.WriteFile(alone+"-no-images.html", []byte(sent.HTML), 0o600),
		); err != nil {
			shut()
			return nil, nil, err
		}
		scenes = append(scenes, s,
			scene{"mail-" + m.NoticeID, "file://" + alone + ".html"},
			scene{"mail-" + m.NoticeID + "-no-images", "file://" + alone + "-no-images.html"})
	}
	return append(scenes, scene{"inbox", base + "/inbox"}), shut, nil
}

// send gives the scene of the mail in the inbox.
func send(ctx context.Context, base string, m mail.ActivationMail) (scene, error) {
	message, err := m.Compose()
	if err != nil {
		return scene{}, err
	}
	client, err := mail.New(mail.Config{URL: base, APIKey: "pretend"})
	if err != nil {
		return scene{}, err
	}
	id, err := client.Send(ctx, message.Bytes())
	if err != nil {
		return scene{}, fmt.Errorf("send %s: %w", m.NoticeID, err)
	}
	return scene{"inbox-" + m.NoticeID, base + "/inbox/" + id}, nil
}

// mails are examples with made-up people; the numbers are of the range kept for fiction.
func mails() []mail.ActivationMail {
	code, err := mobile.NewActivationCode("rsp.northwind.example", "QR-G5MAT-7HKWX-2P9DD")
	if err != nil {
		panic(err)
	}
	line := mail.ActivationMail{
		NoticeID:     "new-line",
		ActivationID: "0198c1a2-7d10-7cc3-9b51-2f4ab8c0d901",
		Tenant: mobile.Tenant{
			DisplayName:  "Northwind Mobile",
			MailFrom:     "hello@northwind.example",
			MailReplyTo:  "help@northwind.example",
			SupportPhone: "+12125550100",
			SupportHours: "Monday to Friday, 8 am to 8 pm Eastern",
		},
		CustomerName: "Ada Lovelace",
		To:           "ada@example.com",
		Number:       "+12125550123",
		Code:         code,
		PortalLink:   "https://my.northwind.example/activation/k7Jq2v",
	}
	port := line
	port.NoticeID, port.Ported = "port", true
	return []mail.ActivationMail{line, port, longest(line)}
}

// longest is a mail whose every field is as long as it may be: nothing may stick out.
func longest(m mail.ActivationMail) mail.ActivationMail {
	label := strings.Repeat("x", 60)
	code, err := mobile.NewActivationCode(strings.Join([]string{label, label, label, "example"}, "."), strings.Repeat("M", 64))
	if err != nil {
		panic(err)
	}
	m.NoticeID, m.Code = "longest", code
	m.CustomerName = strings.Repeat("W", 100)
	m.Tenant.DisplayName = strings.Repeat("M", 100)
	m.Tenant.SupportPhone = "(212) 555-0100, then press 2 for the mobile desk"
	m.Tenant.SupportHours = strings.Repeat("daily ", 16)
	return m
}
