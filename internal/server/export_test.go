package server

import "time"

// WithHeartbeat lets a watched feed be silent for less long.
func (c Config) WithHeartbeat(d time.Duration) Config {
	c.heartbeat = d
	return c
}

// WithPreflightPatience lets the carrier take less long to answer a trial.
func (c Config) WithPreflightPatience(d time.Duration) Config {
	c.preflightPatience = d
	return c
}

// Registered tells the full names of the server's methods, with whether they stream.
func (s *Server) Registered() map[string]bool {
	all := make(map[string]bool)
	for service, info := range s.grpc.GetServiceInfo() {
		for _, method := range info.Methods {
			all["/"+service+"/"+method.Name] = method.IsServerStream
		}
	}
	return all
}
