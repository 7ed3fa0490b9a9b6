// Package mail writes Dialtone's notices to customers and hands them to SendGrid.
//
// A notice travels like this:
//
//  1. An [ActivationMail] or a [NoticeMail] is composed into a [Message]: the finished body
//     of SendGrid's POST /v3/mail/send, as bytes. The caller stores those bytes sealed before
//     the first send, because they hold the activation code, and a link that opens the
//     customer's page.
//  2. [Client.Send] hands exactly those bytes over, once, and says by the table of
//     verdict.go what is known afterwards. A resend hands over the same bytes again, so a
//     rare duplicate is the same mail with the same QR code and link, and harms nobody.
//  3. SendGrid's webhook brings events. [VerifyEvents] checks the signature and reads them.
//     Any event that carries a notice's id proves that SendGrid has taken the message,
//     also when the reply to the send was lost.
//
// SendGrid knows no idempotency key, and it keeps custom_args for long and shows them to
// its staff. So the only things of ours in them are two opaque ids: notice_id and
// activation_id.
package mail
