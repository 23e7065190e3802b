package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/stator-db/stator/partition"
)

// clusterFlags make a server a node of a cluster.
type clusterFlags struct {
	Cluster          bool          `group:"Cluster" help:"Be a node of a cluster. The data directory must be a node's or fresh."`
	NodeID           string        `name:"node-id" group:"Cluster" placeholder:"NAME" help:"Name of this node, unique in the cluster."`
	ClusterAddr      string        `group:"Cluster" placeholder:"HOST:PORT" help:"Address to listen on for the other nodes."`
	ClusterAdvertise string        `group:"Cluster" placeholder:"HOST:PORT" help:"Address the other nodes reach it at, if it is another one."`
	Join             []string      `group:"Cluster" placeholder:"HOST:PORT" help:"Cluster addresses of other nodes; unreachable ones are tried again."`
	BootstrapExpect  int           `group:"Cluster" default:"1" placeholder:"N" help:"Make a cluster once so many nodes that have none have found each other."`
	Replicas         int           `group:"Cluster" default:"3" placeholder:"N" help:"Replicas of each shard of a new cluster."`
	ReplaceAfter     time.Duration `group:"Cluster" default:"5m" help:"Make the replicas of a node anew on others once it has been silent for so long."`
	Zone             string        `group:"Cluster" placeholder:"NAME" help:"Failure zone of this node."`
	GossipKey        string        `group:"Cluster" placeholder:"KEY" help:"Encrypt gossip with this key, the same on all nodes: 16, 24 or 32 bytes in base64."`
	LeaseReads       bool          `group:"Cluster" help:"Let leaders answer strong reads without asking the others for a while; relies on clocks of about equal speed."`
	ReadPolicy       string        `group:"Cluster" default:"nearest" placeholder:"POLICY" help:"Replica that answers eventual reads: nearest, random, round-robin or pinned:NODE."`
	Lab              bool          `group:"Cluster" help:"Serve the endpoints below /_stator/lab, which spoil this node's network, disk and clock for experiments."`
	ClusterTLSCert   string        `name:"cluster-tls-cert" group:"Cluster" placeholder:"FILE" help:"Certificate of this node for the cluster port (PEM)."`
	ClusterTLSKey    string        `name:"cluster-tls-key" group:"Cluster" placeholder:"FILE" help:"Its private key (PEM)."`
	ClusterTLSCA     string        `name:"cluster-tls-ca" group:"Cluster" placeholder:"FILE" help:"Certificates that other nodes' must be signed by (PEM)."`
}

// check rejects combinations that cannot be meant.
func (c *clusterFlags) check() error {
	given := map[string]bool{
		"--node-id": c.NodeID != "", "--cluster-addr": c.ClusterAddr != "", "--cluster-advertise": c.ClusterAdvertise != "",
		"--join": len(c.Join) > 0, "--bootstrap-expect": c.BootstrapExpect != 1, "--replicas": c.Replicas != 3,
		"--gossip-key": c.GossipKey != "", "--zone": c.Zone != "", "--replace-after": c.ReplaceAfter != 5*time.Minute, "--lease-reads": c.LeaseReads, "--read-policy": c.ReadPolicy != "nearest", "--lab": c.Lab, "--cluster-tls-cert": c.ClusterTLSCert != "",
		"--cluster-tls-key": c.ClusterTLSKey != "", "--cluster-tls-ca": c.ClusterTLSCA != "",
	}
	if !c.Cluster {
		for _, name := range []string{
			"--node-id", "--cluster-addr", "--cluster-advertise", "--join", "--bootstrap-expect", "--replicas", "--replace-after", "--zone",
			"--gossip-key", "--lease-reads", "--read-policy", "--lab", "--cluster-tls-cert", "--cluster-tls-key", "--cluster-tls-ca",
		} {
			if given[name] {
				return usageError(name + " needs --cluster")
			}
		}
		return nil
	}
	switch {
	case c.NodeID == "":
		return usageError("--cluster needs --node-id, a name for this node")
	case c.ClusterAddr == "":
		return usageError("--cluster needs --cluster-addr, an address for the other nodes")
	case c.BootstrapExpect < 1:
		return usageError(fmt.Sprintf("--bootstrap-expect %d: at least this node is there", c.BootstrapExpect))
	case c.BootstrapExpect > 1 && len(c.Join) == 0:
		return usageError("--bootstrap-expect needs --join, addresses of other nodes")
	case c.Replicas < 1 || c.Replicas > 7:
		return usageError(fmt.Sprintf("--replicas %d: from 1 to 7 replicas are possible", c.Replicas))
	case c.ReplaceAfter < time.Second:
		return usageError(fmt.Sprintf("--replace-after %s: a node that is silent for less than 1s may only be slow", c.ReplaceAfter))
	case given["--cluster-tls-cert"] != given["--cluster-tls-key"] || given["--cluster-tls-cert"] != given["--cluster-tls-ca"]:
		return usageError("--cluster-tls-cert, --cluster-tls-key and --cluster-tls-ca belong together")
	}
	if _, err := partition.ParseReadPolicy(c.ReadPolicy); err != nil {
		return usageError("--read-policy: " + err.Error())
	}
	if _, err := c.gossipKey(); err != nil {
		return usageError("--gossip-key: 16, 24 or 32 bytes in base64, for example from: openssl rand -base64 32")
	}
	for _, addr := range append([]string{c.ClusterAddr}, c.Join...) {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			return usageError(fmt.Sprintf("%s: an address is a host and a port, for example 10.0.0.1:7000", addr))
		}
	}
	return nil
}

func (c *clusterFlags) gossipKey() ([]byte, error) {
	if c.GossipKey == "" {
		return nil, nil
	}
	key, err := base64.StdEncoding.DecodeString(c.GossipKey)
	if n := len(key); err == nil && n != 16 && n != 24 && n != 32 {
		err = fmt.Errorf("%d bytes", n)
	}
	return key, err
}

// options are nil for a single node.
func (c *clusterFlags) options(shards int) (*partition.ClusterOptions, error) {
	if !c.Cluster {
		return nil, nil
	}
	key, err := c.gossipKey()
	if err != nil {
		return nil, err
	}
	policy, err := partition.ParseReadPolicy(c.ReadPolicy)
	if err != nil {
		return nil, err
	}
	o := &partition.ClusterOptions{
		GossipKey: key, ReadPolicy: policy,
		Name: c.NodeID, Addr: c.ClusterAddr, Advertise: c.ClusterAdvertise, Zone: c.Zone, Version: buildVersion(),
		Join: c.Join, BootstrapExpect: c.BootstrapExpect, Shards: shards, Replicas: c.Replicas, ReplaceAfter: c.ReplaceAfter, LeaseReads: c.LeaseReads, Lab: c.Lab,
	}
	if c.ClusterTLSCert == "" {
		return o, nil
	}
	certificate, err := tls.LoadX509KeyPair(c.ClusterTLSCert, c.ClusterTLSKey)
	if err != nil {
		return nil, fmt.Errorf("the certificate of the cluster port: %w", err)
	}
	pem, err := os.ReadFile(c.ClusterTLSCA)
	if err != nil {
		return nil, fmt.Errorf("the authority of the cluster port: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("the authority of the cluster port: %s has no certificate", c.ClusterTLSCA)
	}
	o.ServerTLS = &tls.Config{
		Certificates: []tls.Certificate{certificate}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS13,
	}
	o.ClientTLS = &tls.Config{Certificates: []tls.Certificate{certificate}, RootCAs: pool, MinVersion: tls.VersionTLS13}
	return o, nil
}
