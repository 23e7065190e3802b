package bench

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/stretchr/testify/require"
)

// TestSignature compares with the signatures of the AWS SDK.
func TestSignature(t *testing.T) {
	day := time.Date(2026, 1, 2, 23, 59, 59, 0, time.UTC)
	for _, test := range []struct {
		name, endpoint string
		token          string
	}{
		{"long-term key", "https://dynamodb.eu-central-1.amazonaws.com", ""},
		{"temporary credentials", "http://127.0.0.1:8000", "token=="},
	} {
		t.Run(test.name, func(t *testing.T) {
			target := &Target{URL: test.endpoint, Region: "eu-central-1", Sign: true,
				Credentials: Credentials{AccessKey: "AKID", SecretKey: "secret", SessionToken: test.token}}
			e, err := parseEndpoint(test.endpoint)
			require.NoError(t, err)
			s := signer{target: target, endpoint: e}
			for _, now := range []time.Time{day, day.Add(time.Second)} { // the key changes at midnight
				body := []byte(`{"TableName":"T"}`)
				headers := string(s.appendHeaders(nil, "GetItem", body, now))

				request, err := http.NewRequest(http.MethodPost, test.endpoint+"/", nil)
				require.NoError(t, err)
				request.Header.Set("Content-Type", contentType)
				request.Header.Set("X-Amz-Target", targetPrefix+"GetItem")
				hash := sha256.Sum256(body)
				require.NoError(t, v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{
					AccessKeyID: "AKID", SecretAccessKey: "secret", SessionToken: test.token,
				}, request, hex.EncodeToString(hash[:]), "dynamodb", "eu-central-1", now))
				require.Contains(t, headers, "X-Amz-Date: "+request.Header.Get("X-Amz-Date")+"\r\n")
				require.Contains(t, headers, "Authorization: "+request.Header.Get("Authorization")+"\r\n")
				require.Equal(t, test.token != "", strings.Contains(headers, "X-Amz-Security-Token: token==\r\n"))
			}
		})
	}
}

func TestMadeUpSignatureLooksLikeOne(t *testing.T) {
	s := signer{target: &Target{Region: "us-east-1", Credentials: Credentials{AccessKey: "key"}}}
	headers := string(s.appendHeaders(nil, "GetItem", nil, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)))
	require.Equal(t, "X-Amz-Date: 20260102T030405Z\r\n"+
		"Authorization: AWS4-HMAC-SHA256 Credential=key/20260102/us-east-1/dynamodb/aws4_request, "+
		"SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature="+madeUp+"\r\n", headers)
}
