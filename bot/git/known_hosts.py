"""The host keys that three forges publish, so that these are known without being asked for.

Keys of the kinds that OpenSSH prefers, whose fingerprints are those of the pages:
https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/githubs-ssh-key-fingerprints
https://docs.gitlab.com/user/gitlab_com/#ssh-host-keys-fingerprints
https://support.atlassian.com/bitbucket-cloud/docs/configure-ssh-and-two-step-verification/
"""

_ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI"
_ECDSA = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBB"

PUBLISHED = f"""\
github.com,[ssh.github.com]:443 {_ED25519}OMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl
github.com {_ECDSA}EmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNuG5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg=
gitlab.com {_ED25519}AfuCHKVTjquxvt6CM6tdG4SLp1Btn/nOeHHE5UOzRdf
gitlab.com {_ECDSA}FSMqzJeV9rUzU4kWitGjeR4PWSa29SPqJ1fVkhtj3Hw9xjLVXVYrU9QlYWrOLXBpQ6KWjbjTDTdDkoohFzgbEY=
bitbucket.org {_ED25519}IazEu89wgQZ4bqs3d63QSMzYVa0MuJ2e2gKTKqu+UUO
bitbucket.org {_ECDSA}PIQmuzMBuKdWeF4+a2sjSSpBK0iqitSQ+5BM9KhpexuGt20JpTVM7u5BDZngncgrqDMbWdxMWWOGtZ9UgbqgZE=
"""
