package wiretest

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Listen plays a partner below HTTP: each connection is closed when talk returns.
func Listen(tb testing.TB, talk func(net.Conn)) (url string) {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				talk(conn)
			}()
		}
	}()
	return "http://" + listener.Addr().String()
}

// ReadRequest reads one whole request and says whether there was one.
func ReadRequest(conn net.Conn) bool {
	request, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, request.Body)
	return err == nil
}

// Answer plays a partner that gives every request the same whole answer. It writes the bytes
// itself, because net/http's server refuses to write some statuses and some bodies that
// others do write, and it leaves the end of the connection to the caller.
func Answer(tb testing.TB, status int, kind, body string) (url string) {
	tb.Helper()
	raw := head(status, kind, len(body)) + body
	return Listen(tb, func(conn net.Conn) {
		if ReadRequest(conn) {
			_, _ = io.WriteString(conn, raw)
			hold(conn)
		}
	})
}

func head(status int, kind string, length int) string {
	if kind != "" {
		kind = "Content-Type: " + kind + "\r\n"
	}
	return fmt.Sprintf("HTTP/1.1 %03d Said\r\n%sContent-Length: %d\r\n\r\n", status, kind, length)
}

// hold keeps a connection until the other side leaves it.
func hold(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// reset lets the connection end with a TCP reset instead of an orderly end.
func reset(conn net.Conn) { _ = conn.(*net.TCPConn).SetLinger(0) }

// aByte waits for the first byte to arrive.
func aByte(conn net.Conn) { _, _ = io.ReadFull(conn, make([]byte, 1)) }

func overTLS(url string) string { return strings.Replace(url, "http:", "https:", 1) }

// plain is a server that is quiet about handshakes that are meant to fail.
func plain(tb testing.TB) *httptest.Server {
	tb.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		tb.Error("a request was served, want none to be sent")
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	tb.Cleanup(server.Close)
	return server
}
