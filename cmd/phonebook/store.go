package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"github.com/stator-db/stator/cmd/phonebook/internal/book"
	"github.com/stator-db/stator/server"
)

// endpointAWS as the endpoint stands for the service itself.
const endpointAWS = "aws"

// storeFlags say where the table is.
type storeFlags struct {
	Endpoint  string `placeholder:"URL" help:"DynamoDB endpoint that has the table, or aws for the service. Without it the phonebook has a store of its own."`
	Region    string `placeholder:"REGION" help:"Region of the endpoint; by default that of the AWS configuration."`
	Table     string `default:"phonebook" help:"Name of the table, created when missing."`
	DataDir   string `default:"./phonebook-data" placeholder:"DIR" help:"Directory of the store of its own."`
	StorePort int    `default:"0" help:"Loopback port of the store of its own, for other clients; 0 picks a free one."`
}

func (f storeFlags) check() error {
	if f.StorePort < 0 || f.StorePort > 65535 {
		return usageError(fmt.Sprintf("--store-port %d: a port is a number from 0 to 65535", f.StorePort))
	}
	if f.Endpoint == "" && f.DataDir == "" {
		return usageError("--data-dir is empty: name a directory")
	}
	if u, err := url.Parse(f.Endpoint); f.Endpoint != "" && f.Endpoint != endpointAWS &&
		(err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https")) {
		return usageError(fmt.Sprintf("--endpoint %s: expected a URL such as http://127.0.0.1:8000, or aws", f.Endpoint))
	}
	return nil
}

// store is an open phonebook and where its table is.
type store struct {
	book *book.Book
	name string // for people
	// close stops the store of its own, if there is one.
	close func() error
}

// open opens the phonebook. inMemory replaces the data directory of the store of its own.
func (f storeFlags) open(ctx context.Context, logger *slog.Logger, inMemory bool) (_ *store, err error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	s := &store{name: f.Endpoint, close: func() error { return nil }}
	endpoint := f.Endpoint
	if endpoint == "" {
		own, err := openEmbedded(f, logger, inMemory)
		if err != nil {
			return nil, err
		}
		endpoint, s.name, s.close = own.url, own.url+" in "+own.data, own.close
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	cfg, err := f.awsConfig(ctx)
	if err != nil {
		return nil, err
	}
	cfg.HTTPClient = book.HTTPClient(cfg.HTTPClient)
	if endpoint != endpointAWS {
		cfg.BaseEndpoint = aws.String(endpoint)
	}
	s.book, err = book.Open(ctx, book.Options{
		DB: dynamodb.NewFromConfig(cfg), Streams: dynamodbstreams.NewFromConfig(cfg), Table: f.Table,
	})
	return s, err
}

// idleConnections to the table are kept for the next requests. The SDK's 10 are too few
// for an import beside people who search.
const idleConnections = 64

// awsConfig is the SDK's configuration. Whatever is not the service takes any
// credentials and region, so there are some if the environment names none.
func (f storeFlags) awsConfig(ctx context.Context) (aws.Config, error) {
	options := []func(*config.LoadOptions) error{
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
			t.MaxIdleConnsPerHost = idleConnections
		})),
	}
	region := f.Region
	if f.Endpoint != endpointAWS {
		_, key := os.LookupEnv("AWS_ACCESS_KEY_ID")
		_, profile := os.LookupEnv("AWS_PROFILE")
		if f.Endpoint == "" || (!key && !profile) {
			options = append(options, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("phonebook", "phonebook", "")))
			options = append(options, config.WithSharedConfigFiles([]string{}), config.WithSharedCredentialsFiles([]string{}))
			if region == "" && os.Getenv("AWS_REGION") == "" {
				region = "eu-central-1"
			}
		}
	}
	if region != "" {
		options = append(options, config.WithRegion(region))
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err == nil && cfg.Region == "" {
		err = usageError("no region: give --region or AWS_REGION")
	}
	return cfg, err
}

// embedded is a Stator server inside this process.
type embedded struct {
	url   string
	data  string
	close func() error
}

// embeddedDrain is how long requests to the embedded server may take at the end.
const embeddedDrain = 2 * time.Second

// openEmbedded opens the data directory and serves it on a loopback port. Web pages
// cannot use that port: the only origin it allows is its own.
func openEmbedded(f storeFlags, logger *slog.Logger, inMemory bool) (*embedded, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(f.StorePort)))
	if err != nil {
		return nil, fmt.Errorf("port of the store: %w", err)
	}
	own := &embedded{url: "http://" + listener.Addr().String(), data: f.DataDir}
	options := server.Options{DataDir: f.DataDir, SharedDB: true, CORSOrigins: []string{own.url}, Logger: logger}
	if inMemory {
		own.data, options.DataDir, options.InMemory = "memory", "", true
	}
	db, err := server.Open(options)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("store in %s: %w", own.data, err), listener.Close())
	}
	web := &http.Server{Handler: db, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 3 * time.Minute}
	served := make(chan error, 1)
	go func() { served <- web.Serve(listener) }()
	own.close = func() error {
		ctx, cancel := context.WithTimeout(context.Background(), embeddedDrain)
		defer cancel()
		err := web.Shutdown(ctx)
		if err != nil {
			err = web.Close() // requests that do not end
		}
		<-served
		return errors.Join(err, db.Close())
	}
	return own, nil
}
