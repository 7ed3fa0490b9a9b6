package postgrestest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
)

// Ports are taken from below the ranges that systems hand to outgoing connections: a
// client that keeps dialling a stopped server could otherwise be given the server's own
// port, connect to itself and keep the server from coming back.
const (
	portLow   = 20000
	portCount = 12000
	portDraws = 100
)

// choosePort sets a port that is free now and remembers it for the next run.
func (c *Cluster) choosePort() error {
	if c.port == 0 || !canListen(c.port) {
		port, err := freePort()
		if err != nil {
			return err
		}
		c.port = port
	}
	if err := os.WriteFile(c.home.portFile(), []byte(strconv.Itoa(c.port)+"\n"), 0o600); err != nil {
		return fmt.Errorf("remember the port: %w", err)
	}
	return nil
}

func freePort() (int, error) {
	for range portDraws {
		if port := portLow + rand.IntN(portCount); canListen(port) {
			return port, nil
		}
	}
	return 0, errors.New("no free port on 127.0.0.1")
}

func canListen(port int) bool {
	listener, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	return listener.Close() == nil
}
