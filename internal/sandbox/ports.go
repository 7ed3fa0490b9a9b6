package sandbox

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"time"
)

// Ports are taken from below the ranges that systems hand to outgoing connections: a client
// that keeps dialling a part that is down could otherwise be given that part's own port.
const (
	portLow   = 20000
	portCount = 12000
	portDraws = 200
)

// The names of ports.
const (
	portGRPC        = "grpc"
	portHTTP        = "http"
	portServerAdmin = "server_admin"
	portWorkerAdmin = "worker_admin"
	portTemporal    = "temporal"
	portTemporalUI  = "temporal_ui"
	portCarrier     = "carrier"
	portES2Plus     = "es2plus"
	portSendGrid    = "sendgrid"
	// portPortal is kept for the console and the portal: links in mails name it.
	portPortal = "portal"
)

func portNames() []string {
	return []string{
		portGRPC, portHTTP, portServerAdmin, portWorkerAdmin, portTemporal, portTemporalUI,
		portCarrier, portES2Plus, portSendGrid, portPortal,
	}
}

// ports are this sandbox's, the same ones at each start as long as they are free.
type ports struct {
	numbers map[string]int

	mu sync.Mutex // parts start at the same time
	// held keeps the ports from others until the part that listens there starts.
	held map[string]net.Listener
}

// claimPorts takes the ports of the last time, and draws others for those that are taken.
func claimPorts(last map[string]int) (*ports, error) {
	p := &ports{numbers: make(map[string]int), held: make(map[string]net.Listener)}
	for _, name := range portNames() {
		if err := p.claim(name, last[name]); err != nil {
			return nil, errors.Join(err, p.release(portNames()...))
		}
	}
	return p, nil
}

func (p *ports) claim(name string, last int) error {
	candidate := last
	for range portDraws {
		if candidate != 0 {
			if listener, err := hold(candidate, candidate == last); err == nil {
				p.numbers[name], p.held[name] = candidate, listener
				return nil
			}
		}
		candidate = portLow + rand.IntN(portCount)
	}
	return fmt.Errorf("no free port on 127.0.0.1 for %s", name)
}

// A port of the last time is tried a few times: a program that is just being started holds
// what its parent held until it begins, also what the parent has released meanwhile.
const (
	holdTries = 10
	holdPause = 10 * time.Millisecond
)

func hold(port int, again bool) (net.Listener, error) {
	listener, err := net.Listen("tcp4", loopback(port))
	for try := 1; err != nil && again && try < holdTries; try++ {
		<-time.After(holdPause)
		listener, err = net.Listen("tcp4", loopback(port))
	}
	return listener, err
}

// release gives ports free for the part that listens there.
func (p *ports) release(names ...string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var err error
	for _, name := range names {
		if listener := p.held[name]; listener != nil {
			err = errors.Join(err, listener.Close())
			delete(p.held, name)
		}
	}
	return err
}

// address is where the part listens.
func (p *ports) address(name string) string { return loopback(p.numbers[name]) }

// url is the same for HTTP.
func (p *ports) url(name string) string { return "http://" + p.address(name) }

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
