package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

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
	for _, m := range slices.Concat(mails(), notices()) {
		s, err := send(ctx, base, m)
		if err != nil {
			shut()
			return nil, nil, err
		}
		alone, err := write(filepath.Join(work, "mail-"+m.name), sendgrid.Mails()[len(sendgrid.Mails())-1])
		if err != nil {
			shut()
			return nil, nil, err
		}
		scenes = append(append(scenes, s), alone...)
	}
	return append(scenes, scene{"inbox", base + "/inbox"}), shut, nil
}

// write puts the mail into files, as a mail client shows it alone, and gives their scenes. A
// content id that nobody resolves is what a client shows that blocks images.
func write(path string, m mailtest.Mail) ([]scene, error) {
	name := filepath.Base(path)
	scenes := []scene{{name, "file://" + path + ".html"}}
	err := os.WriteFile(path+".html", []byte(m.Inlined()), 0o600)
	if err == nil && len(m.Parts) > 0 {
		scenes = append(scenes, scene{name + "-no-images", "file://" + path + "-no-images.html"})
		err = os.WriteFile(path+"-no-images.html", []byte(m.HTML), 0o600)
	}
	return scenes, err
}

// example is a mail to be drawn.
type example struct {
	name string
	mail interface{ Compose() (mail.Message, error) }
}

// send gives the scene of the mail in the inbox.
func send(ctx context.Context, base string, e example) (scene, error) {
	message, err := e.mail.Compose()
	if err != nil {
		return scene{}, fmt.Errorf("compose %s: %w", e.name, err)
	}
	client, err := mail.New(mail.Config{URL: base, APIKey: "pretend"})
	if err != nil {
		return scene{}, err
	}
	id, err := client.Send(ctx, message.Bytes())
	if err != nil {
		return scene{}, fmt.Errorf("send %s: %w", e.name, err)
	}
	return scene{"inbox-" + e.name, base + "/inbox/" + id}, nil
}

// mails are examples with made-up people; the numbers are of the range kept for fiction.
func mails() []example {
	line := newLine()
	port, dated := line, line
	port.Ported, dated.Ported = true, true
	dated.Moves = time.Date(2026, time.September, 30, 14, 0, 0, 0, time.UTC)
	return []example{{"new-line", line}, {"port", port}, {"port-dated", dated}, {"longest", longest(line)}}
}

func newLine() mail.ActivationMail {
	code, err := mobile.NewActivationCode("rsp.northwind.example", "QR-G5MAT-7HKWX-2P9DD")
	if err != nil {
		panic(err)
	}
	return mail.ActivationMail{
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
		Code:         code,
		PortalLink:   "https://my.northwind.example/activation/k7Jq2v",
	}
}

// longest is a mail whose every field is as long as it may be: nothing may stick out.
func longest(m mail.ActivationMail) mail.ActivationMail {
	label := strings.Repeat("x", 60)
	code, err := mobile.NewActivationCode(strings.Join([]string{label, label, label, "example"}, "."), strings.Repeat("M", 64))
	if err != nil {
		panic(err)
	}
	m.Code = code
	m.CustomerName = strings.Repeat("W", 100)
	m.Tenant.DisplayName = strings.Repeat("M", 100)
	m.Tenant.SupportPhone = "(212) 555-0100, then press 2 for the mobile desk"
	m.Tenant.SupportHours = strings.Repeat("daily ", 16)
	return m
}
