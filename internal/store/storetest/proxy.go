package storetest

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// Proxy stands between a record and its database, and can be cut: what crosses it at that
// moment is lost, as when a database machine dies.
type Proxy struct {
	listener net.Listener
	database string

	mu    sync.Mutex
	cut   bool
	conns map[net.Conn]struct{}
	done  sync.WaitGroup
}

// Proxy puts a proxy before the database. Open a record through it by OpenThrough.
func (d *Database) Proxy(t testing.TB) *Proxy {
	t.Helper()
	u, err := url.Parse(d.AppURL())
	must(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	p := &Proxy{listener: listener, database: u.Host, conns: make(map[net.Conn]struct{})}
	p.done.Go(p.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		p.Cut()
		p.done.Wait()
	})
	return p
}

// Address is where the proxy listens.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Cut ends every connection and every one that is tried from now on.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = true
	for conn := range p.conns {
		_ = conn.Close()
	}
}

// Mend lets new connections through again.
func (p *Proxy) Mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = false
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		database, err := net.Dial("tcp", p.database)
		if err != nil {
			_ = client.Close()
			continue
		}
		if !p.keep(client, database) {
			continue
		}
		p.done.Go(func() { p.carry(client, database) })
		p.done.Go(func() { p.carry(database, client) })
	}
}

// keep remembers a pair of connections, or closes it when the proxy is cut.
func (p *Proxy) keep(pair ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range pair {
		if p.cut {
			_ = conn.Close()
			continue
		}
		p.conns[conn] = struct{}{}
	}
	return !p.cut
}

// carry copies one way until either side ends, and then ends both.
func (p *Proxy) carry(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	_ = to.Close()
	_ = from.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, to)
	delete(p.conns, from)
}
