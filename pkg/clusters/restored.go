package clusters

import (
	"context"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

// NoticeRestore returns a ListWatch whose watches do not go on where the server has gone back in time, as when its etcd is
// restored from a backup: it would take a watch from a version that it has not reached, and say nothing of what is gone. Such a
// watch is answered as expired, so that the reflector lists anew. That costs one short list whenever a watch begins. A
// server that has passed the version again by then is not found out.
func NoticeRestore(from *cache.ListWatch) *cache.ListWatch {
	return &cache.ListWatch{
		ListWithContextFunc: from.ListWithContextFunc,
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			if options.SendInitialEvents == nil {
				if err := CheckNotRestored(ctx, from.ListWithContextFunc, options.ResourceVersion); err != nil {
					return nil, err
				}
			}
			return from.WatchFuncWithContext(ctx, options)
		},
	}
}

// CheckNotRestored returns an error that is ResourceExpired where the server that list asks has gone back in time since it was at the
// known version.
func CheckNotRestored(ctx context.Context, list cache.ListWithContextFunc, known string) error {
	if versionOf(known) == 0 {
		return nil
	}
	found, err := list(ctx, metav1.ListOptions{Limit: 1})
	if err != nil {
		return err
	}
	listed, err := meta.ListAccessor(found)
	if err != nil {
		return err
	}
	if now := versionOf(listed.GetResourceVersion()); now > 0 && now < versionOf(known) {
		return apierrors.NewResourceExpired("the server has gone back in time")
	}
	return nil
}

// versionOf is a resourceVersion as a number, 0 where it is none.
func versionOf(resourceVersion string) uint64 {
	version, err := strconv.ParseUint(resourceVersion, 10, 64)
	if err != nil {
		return 0
	}
	return version
}
