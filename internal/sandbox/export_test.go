package sandbox

// MigrateEnv is what cmd/migrate is told.
func (s *Sandbox) MigrateEnv() []string { return s.settings.migrateEnv() }

// WorkerAdmin is the worker's /livez, /readyz and /metrics.
func (s *Sandbox) WorkerAdmin() string { return s.settings.ports.url(portWorkerAdmin) }
