package storage

import "encoding/json"

// settings are what templates say of how an account is to be reached and kept.
// They are kept and shown as they were given: there is nothing that they could
// be about.
type settings struct {
	AccessTier          string          `json:"accessTier,omitempty"`
	MinimumTLS          string          `json:"minimumTlsVersion,omitempty"`
	PublicNetworkAccess string          `json:"publicNetworkAccess,omitempty"`
	LargeFileShares     string          `json:"largeFileSharesState,omitempty"`
	DNSEndpointType     string          `json:"dnsEndpointType,omitempty"`
	HTTPSOnly           *bool           `json:"supportsHttpsTrafficOnly,omitempty"`
	AllowPublicBlobs    *bool           `json:"allowBlobPublicAccess,omitempty"`
	AllowSharedKeys     *bool           `json:"allowSharedKeyAccess,omitempty"`
	AllowCrossTenant    *bool           `json:"allowCrossTenantReplication,omitempty"`
	DefaultToOAuth      *bool           `json:"defaultToOAuthAuthentication,omitempty"`
	HierarchicalNames   *bool           `json:"isHnsEnabled,omitempty"`
	NFSv3               *bool           `json:"isNfsV3Enabled,omitempty"`
	SFTP                *bool           `json:"isSftpEnabled,omitempty"`
	LocalUsers          *bool           `json:"isLocalUserEnabled,omitempty"`
	NetworkRules        json.RawMessage `json:"networkAcls,omitempty"`
	Encryption          json.RawMessage `json:"encryption,omitempty"`
}
