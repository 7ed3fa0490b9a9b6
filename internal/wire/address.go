package wire

import (
	"errors"
	"net"
	"net/url"
	"strings"
)

// The reasons for which ParseURL refuses. None of them repeats the URL.
var (
	ErrURLInvalid  = errors.New("not a URL of the form https://host[:port][/path], without user, query or fragment")
	ErrURLInsecure = errors.New("not https: plain http is allowed to a loopback address only")
)

// ParseURL reads the base address of a partner. It refuses anything but https, except that
// http may go to a loopback address (localhost, 127.0.0.0/8, ::1), where pretend partners
// live; and user names, queries and fragments, which would be secrets in the wrong place. A
// slash at the end is taken off.
func ParseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return nil, ErrURLInvalid
	}
	switch {
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
	case u.Scheme == "http":
		return nil, ErrURLInsecure
	default:
		return nil, ErrURLInvalid
	}
	u.Path = strings.TrimRight(u.Path, "/")
	u.RawPath = strings.TrimRight(u.RawPath, "/")
	return u, nil
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
