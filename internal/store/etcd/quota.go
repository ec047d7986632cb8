package etcd

import (
	"context"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// disarm ends the alarm of a store that was full and, since the start shrank
// it, is no more. etcd leaves that to a person.
func (s *Store) disarm(ctx context.Context, quota int64) error {
	if s.member.Server.Backend().Size() > quota/10*9 {
		return nil
	}
	for _, alarm := range s.member.Server.Alarms() {
		if alarm.Alarm != pb.AlarmType_NOSPACE {
			continue
		}
		if _, err := s.client.AlarmDisarm(ctx, (*clientv3.AlarmMember)(alarm)); err != nil {
			return translate(ctx, err)
		}
		s.log.Info("state store has room again", "quotaBytes", quota)
	}
	return nil
}
