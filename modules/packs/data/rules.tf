# Where the data is and who may read it: buckets, keys, secrets, databases.

locals {
  rules = {
    # --- Policies of all kinds ---

    "resource-made-public" = {
      description = "A policy lets everybody in, without a condition on who or from where: a bucket, a queue, a key, a secret, a repository, a domain."
      severity    = "critical"
      event_names = [
        "PutBucketPolicy",
        "SetRepositoryPolicy",
        "CreateDomain", "CreateElasticsearchDomain", "UpdateDomainConfig", "UpdateElasticsearchDomainConfig",
        "PutKeyPolicy", "CreateKey",
        "PutResourcePolicy",
        "CreateQueue", "SetQueueAttributes",
        "CreateTopic", "SetTopicAttributes",
      ]
      event_sources = [
        "s3.amazonaws.com", "ecr.amazonaws.com", "es.amazonaws.com", "kms.amazonaws.com", "secretsmanager.amazonaws.com", "sqs.amazonaws.com",
        "sns.amazonaws.com",
      ]
      # Every service has the policy in another place, as JSON or as text. One statement is an object, several are an array.
      match = <<-EOT
        !(detail.errorCode)
          && ([
              detail.requestParameters.bucketPolicy,
              detail.requestParameters.policyText,
              detail.requestParameters.accessPolicies,
              detail.requestParameters.policy,
              detail.requestParameters.resourcePolicy,
              detail.requestParameters.attributes.Policy,
              detail.requestParameters.attributeName == 'Policy' && detail.requestParameters.attributeValue
            ][?@] | [0]
            | type(@) == 'string' && parse_json(@) || @
            | [Statement][]
            | [?
                Effect == 'Allow'
                && (Principal == '*' || contains([Principal.AWS][], '*'))
                && !(Condition.*.keys(@)[] | [?contains(${local.restricting}, lower(@))])
              ]
            | [0])
      EOT
      title = "{{ actor }} made something public: {{ event_name }}"
      fields = {
        "Bucket"     = "detail.requestParameters.bucketName"
        "Queue"      = "detail.requestParameters.queueUrl"
        "Topic"      = "detail.requestParameters.topicArn"
        "Key"        = "detail.requestParameters.keyId"
        "Secret"     = "detail.requestParameters.secretId"
        "Repository" = "detail.requestParameters.repositoryName"
        "Domain"     = "detail.requestParameters.domainName"
      }
      tests = [
        {
          name   = "a bucket, to any AWS account"
          expect = true
          event = jsonencode({
            eventSource = "s3.amazonaws.com", eventName = "PutBucketPolicy", userIdentity = { type = "IAMUser", userName = "carol" }
            requestParameters = {
              bucketName   = "reports"
              bucketPolicy = { Statement = { Effect = "Allow", Principal = { AWS = ["arn:aws:iam::111122223333:root", "*"] }, Action = "s3:GetObject" } }
            }
          })
        },
        {
          name   = "a topic, by a policy that is text"
          expect = true
          event = jsonencode({
            eventSource = "sns.amazonaws.com", eventName = "SetTopicAttributes", userIdentity = { type = "IAMUser", userName = "carol" }
            requestParameters = {
              attributeName  = "Policy"
              attributeValue = jsonencode({ Statement = [{ Effect = "Allow", Principal = "*", Action = "sns:Subscribe" }] })
            }
          })
        },
        {
          name   = "to one's own organisation"
          expect = false
          event = jsonencode({
            eventSource = "s3.amazonaws.com", eventName = "PutBucketPolicy", userIdentity = { type = "IAMUser", userName = "carol" }
            requestParameters = {
              bucketName = "reports"
              bucketPolicy = {
                Statement = [{
                  Effect    = "Allow", Principal = "*", Action = "s3:GetObject"
                  Condition = { StringEquals = { "aws:PrincipalOrgId" = "o-example" } }
                }]
              }
            }
          })
        },
        {
          name   = "a denial of what is not encrypted"
          expect = false
          event = jsonencode({
            eventSource = "s3.amazonaws.com", eventName = "PutBucketPolicy", userIdentity = { type = "IAMUser", userName = "carol" }
            requestParameters = {
              bucketName = "reports"
              bucketPolicy = {
                Statement = [{ Effect = "Deny", Principal = "*", Action = "s3:*", Condition = { Bool = { "aws:SecureTransport" = "false" } } }]
              }
            }
          })
        },
        {
          name   = "another attribute of a topic"
          expect = false
          event = jsonencode({
            eventSource       = "sns.amazonaws.com", eventName = "SetTopicAttributes", userIdentity = { type = "IAMUser", userName = "carol" }
            requestParameters = { attributeName = "DisplayName", attributeValue = "reports" }
          })
        },
      ]
    }

    # --- S3 ---

    "bucket-access-changed" = {
      description = "The policy, the ACL, CORS, the life cycle or the replication of a bucket was changed."
      severity    = "low"
      event_names = [
        "PutBucketAcl", "PutBucketPolicy", "DeleteBucketPolicy", "PutBucketCors", "DeleteBucketCors", "PutBucketLifecycle", "DeleteBucketLifecycle",
        "PutBucketReplication", "DeleteBucketReplication",
      ]
      event_sources = ["s3.amazonaws.com"]
      match         = "!(detail.errorCode)"
      title         = "{{ actor }} changed the bucket {{ detail.requestParameters.bucketName }}: {{ event_name }}"
      fields        = { "Bucket" = "detail.requestParameters.bucketName" }
      tests = [
        {
          name   = "an ACL is set"
          expect = true
          event = jsonencode({
            eventSource       = "s3.amazonaws.com", eventName = "PutBucketAcl", userIdentity = { type = "IAMUser", userName = "carol" }
            requestParameters = { bucketName = "reports" }
          })
        },
        {
          name   = "an attempt that is denied"
          expect = false
          event = jsonencode({
            eventSource = "s3.amazonaws.com", eventName = "PutBucketAcl", errorCode = "AccessDenied", userIdentity = { type = "IAMUser", userName = "carol" }
          })
        },
      ]
    }

    "public-access-block-removed" = {
      description   = "The lock that keeps a bucket or a whole account from becoming public was removed."
      severity      = "high"
      event_names   = ["DeleteBucketPublicAccessBlock", "DeleteAccountPublicAccessBlock"]
      event_sources = ["s3.amazonaws.com"]
      match         = "!(detail.errorCode)"
      title         = "{{ actor }} removed a public access block"
      fields        = { "Bucket" = "detail.requestParameters.bucketName" }
      tests = [
        {
          name   = "of the account"
          expect = true
          event = jsonencode({
            eventSource = "s3.amazonaws.com", eventName = "DeleteAccountPublicAccessBlock", userIdentity = { type = "IAMUser", userName = "carol" }
          })
        },
        {
          name   = "an attempt that is denied"
          expect = false
          event = jsonencode({
            eventSource  = "s3.amazonaws.com", eventName = "DeleteBucketPublicAccessBlock", errorCode = "AccessDenied"
            userIdentity = { type = "IAMUser", userName = "carol" }
          })
        },
      ]
    }

    "bucket-encryption-removed" = {
      description   = "A bucket's encryption with a key of one's own was removed."
      severity      = "medium"
      event_names   = ["DeleteBucketEncryption"]
      event_sources = ["s3.amazonaws.com"]
      match         = "!(detail.errorCode)"
      title         = "{{ actor }} removed the encryption of {{ detail.requestParameters.bucketName }}"
      fields        = { "Bucket" = "detail.requestParameters.bucketName" }
      tests = [
        {
          name   = "it is removed"
          expect = true
          event = jsonencode({
            eventSource       = "s3.amazonaws.com", eventName = "DeleteBucketEncryption", userIdentity = { type = "IAMUser", userName = "carol" }
            requestParameters = { bucketName = "reports" }
          })
        },
        {
          name   = "an attempt that is denied"
          expect = false
          event = jsonencode({
            eventSource = "s3.amazonaws.com", eventName = "DeleteBucketEncryption", errorCode = "AccessDenied", userIdentity = { type = "Root" }
          })
        },
      ]
    }

    "bucket-versioning-suspended" = {
      description   = "A bucket keeps no more versions: what is overwritten or deleted from now on is gone."
      severity      = "medium"
      event_names   = ["PutBucketVersioning"]
      event_sources = ["s3.amazonaws.com"]
      match         = "${local.unversioned} && !(detail.errorCode)"
      title         = "{{ actor }} suspended the versions of {{ detail.requestParameters.bucketName }}"
      fields        = { "Bucket" = "detail.requestParameters.bucketName" }
      tests = [
        {
          name   = "it is suspended"
          expect = true
          event = jsonencode({
            eventSource       = "s3.amazonaws.com", eventName = "PutBucketVersioning", userIdentity = { type = "IAMUser", userName = "carol" }
            requestParameters = { bucketName = "reports", VersioningConfiguration = { Status = "Suspended" } }
          })
        },
        {
          name   = "it is turned on"
          expect = false
          event = jsonencode({
            eventSource       = "s3.amazonaws.com", eventName = "PutBucketVersioning", userIdentity = { type = "IAMUser", userName = "carol" }
            requestParameters = { bucketName = "reports", VersioningConfiguration = { Status = "Enabled" } }
          })
        },
      ]
    }

    "bucket-safeguard-turned-off" = {
      description   = "Logging, versions or MFA delete of a bucket was turned off: what comes next leaves fewer traces or cannot be undone."
      severity      = "medium"
      event_names   = ["PutBucketLogging", "PutBucketVersioning"]
      event_sources = ["s3.amazonaws.com"]
      match         = <<-EOT
        (${local.unversioned}
          || detail.requestParameters.VersioningConfiguration.MfaDelete == 'Disabled'
          || detail.eventName == 'PutBucketLogging' && detail.requestParameters.BucketLoggingStatus && !(detail.requestParameters.BucketLoggingStatus.LoggingEnabled))
        && !(detail.errorCode)
      EOT
      title         = "{{ actor }} turned off a safeguard of {{ detail.requestParameters.bucketName }}: {{ event_name }}"
      fields        = { "Bucket" = "detail.requestParameters.bucketName", "Versioning" = "detail.requestParameters.VersioningConfiguration" }
      tests = [
        {
          name   = "logging"
          expect = true
          event = jsonencode({
            eventSource = "s3.amazonaws.com", eventName = "PutBucketLogging", userIdentity = { type = "IAMUser", userName = "carol" }
            requestParameters = {
              bucketName = "reports", logging = "", BucketLoggingStatus = { xmlns = "http://s3.amazonaws.com/doc/2006-03-01/" }
            }
          })
        },
        {
          name   = "MFA delete"
          expect = true
          event = jsonencode({
            eventSource       = "s3.amazonaws.com", eventName = "PutBucketVersioning", userIdentity = { type = "Root" }
            requestParameters = { bucketName = "reports", VersioningConfiguration = { Status = "Enabled", MfaDelete = "Disabled" } }
          })
        },
        {
          name   = "logging to a bucket"
          expect = false
          event = jsonencode({
            eventSource = "s3.amazonaws.com", eventName = "PutBucketLogging", userIdentity = { type = "IAMUser", userName = "carol" }
            requestParameters = {
              bucketName = "reports", BucketLoggingStatus = { LoggingEnabled = { TargetBucket = "logs", TargetPrefix = "reports/" } }
            }
          })
        },
      ]
    }

    "object-encrypted-with-foreign-key" = {
      description   = "An object was copied and encrypted with a key that AWS does not have: done to all of a bucket, that is ransomware. Needs S3 data events in a trail."
      severity      = "high"
      event_names   = ["CopyObject"]
      event_sources = ["s3.amazonaws.com"]
      allow         = { TW2405 = "the description says what a trail must select" }
      match         = "detail.requestParameters.\"x-amz-server-side-encryption-customer-algorithm\" && !(detail.errorCode)"
      title         = "{{ actor }} encrypted an object of {{ detail.requestParameters.bucketName }} with a key of their own"
      fields        = { "Bucket" = "detail.requestParameters.bucketName", "Object" = "detail.requestParameters.key" }
      tests = [
        {
          name   = "with a customer's key"
          expect = true
          event = jsonencode({
            eventSource       = "s3.amazonaws.com", eventName = "CopyObject", userIdentity = { type = "IAMUser", userName = "carol" }
            requestParameters = { bucketName = "reports", key = "a.csv", "x-amz-server-side-encryption-customer-algorithm" = "AES256" }
          })
        },
        {
          name   = "with a key in KMS"
          expect = false
          event = jsonencode({
            eventSource       = "s3.amazonaws.com", eventName = "CopyObject", userIdentity = { type = "IAMUser", userName = "carol" }
            requestParameters = { bucketName = "reports", key = "a.csv", "x-amz-server-side-encryption" = "aws:kms" }
          })
        },
      ]
    }

    "objects-deleted" = {
      description   = "Many objects were deleted in one call. Needs S3 data events in a trail."
      severity      = "low"
      frequent      = true
      event_names   = ["DeleteObjects"]
      event_sources = ["s3.amazonaws.com"]
      allow         = { TW2405 = "the description says what a trail must select" }
      match         = "!(detail.errorCode)"
      title         = "{{ actor }} deleted objects of {{ detail.requestParameters.bucketName }}"
      fields        = { "Bucket" = "detail.requestParameters.bucketName" }
      tests = [
        {
          name   = "many at once"
          expect = true
          event = jsonencode({
            eventSource       = "s3.amazonaws.com", eventName = "DeleteObjects", userIdentity = { type = "IAMUser", userName = "carol" }
            requestParameters = { bucketName = "reports" }
          })
        },
        {
          name   = "one"
          expect = false
          event = jsonencode({
            eventSource       = "s3.amazonaws.com", eventName = "DeleteObject", userIdentity = { type = "IAMUser", userName = "carol" }
            requestParameters = { bucketName = "reports", key = "a.csv" }
          })
        },
      ]
    }

    # --- Keys and secrets ---

    "key-lost" = {
      description   = "A KMS key was disabled, or its deletion scheduled: what it encrypts can no longer be read."
      severity      = "high"
      event_names   = ["DisableKey", "ScheduleKeyDeletion", "DeleteImportedKeyMaterial"]
      event_sources = ["kms.amazonaws.com"]
      match         = "!(detail.errorCode)"
      title         = "{{ actor }} took a KMS key out of use: {{ event_name }}"
      fields        = { "Key" = "detail.requestParameters.keyId", "Days left" = "detail.requestParameters.pendingWindowInDays" }
      tests = [
        {
          name   = "its deletion is scheduled"
          expect = true
          event = jsonencode({
            eventSource       = "kms.amazonaws.com", eventName = "ScheduleKeyDeletion", userIdentity = { type = "IAMUser", userName = "carol" }
            requestParameters = { keyId = "0a1b2c3d-0000-4000-8000-000000000000", pendingWindowInDays = 7 }
          })
        },
        {
          name   = "its deletion is given up"
          expect = false
          event = jsonencode({
            eventSource       = "kms.amazonaws.com", eventName = "CancelKeyDeletion", userIdentity = { type = "IAMUser", userName = "carol" }
            requestParameters = { keyId = "0a1b2c3d-0000-4000-8000-000000000000" }
          })
        },
      ]
    }

    "secret-denied" = {
      description   = "A secret was asked for by somebody who may not have it."
      severity      = "medium"
      read_only     = true
      event_names   = ["GetSecretValue"]
      event_sources = ["secretsmanager.amazonaws.com"]
      match         = "starts_with(detail.errorCode || '', 'AccessDenied')"
      title         = "{{ actor }} was denied a secret"
      fields        = { "Secret" = "detail.requestParameters.secretId" }
      tests = [
        {
          name   = "it is denied"
          expect = true
          event = jsonencode({
            eventSource       = "secretsmanager.amazonaws.com", eventName = "GetSecretValue", readOnly = true, errorCode = "AccessDenied"
            userIdentity      = { type = "IAMUser", userName = "carol" }
            requestParameters = { secretId = "prod/db" }
          })
        },
        {
          name   = "it is given"
          expect = false
          event = jsonencode({
            eventSource       = "secretsmanager.amazonaws.com", eventName = "GetSecretValue", readOnly = true
            userIdentity      = { type = "IAMUser", userName = "carol" }
            requestParameters = { secretId = "prod/db" }
          })
        },
      ]
    }

    "secrets-read-in-bulk" = {
      description   = "Many secrets were asked for in one call, as a thief does in one region after the other."
      severity      = "medium"
      event_names   = ["BatchGetSecretValue"]
      event_sources = ["secretsmanager.amazonaws.com"]
      title         = "{{ actor }} asked for many secrets in {{ region }}"
      fields        = { "Filters" = "detail.requestParameters.filters", "Secrets" = "detail.requestParameters.secretIdList" }
      tests = [
        {
          name   = "by a list"
          expect = true
          event = jsonencode({
            eventSource       = "secretsmanager.amazonaws.com", eventName = "BatchGetSecretValue", readOnly = true
            userIdentity      = { type = "IAMUser", userName = "carol" }
            requestParameters = { secretIdList = ["a", "b"] }
          })
        },
        {
          name   = "one secret"
          expect = false
          event = jsonencode({
            eventSource  = "secretsmanager.amazonaws.com", eventName = "GetSecretValue", readOnly = true
            userIdentity = { type = "IAMUser", userName = "carol" }
          })
        },
      ]
    }

    "all-secrets-read" = {
      description   = "All secrets were asked for in one call, by a filter that leaves out nothing."
      severity      = "high"
      event_names   = ["BatchGetSecretValue"]
      event_sources = ["secretsmanager.amazonaws.com"]
      # A value that begins with `!` is one that is not to be there; where every filter is such a one, all secrets pass.
      match  = "detail.requestParameters.filters[0] && !(detail.requestParameters.filters[].values[] | [?!starts_with(@, '!')])"
      title  = "{{ actor }} asked for all secrets in {{ region }}"
      fields = { "Filters" = "detail.requestParameters.filters" }
      tests = [
        {
          name   = "those without a tag that there is not"
          expect = true
          event = jsonencode({
            eventSource       = "secretsmanager.amazonaws.com", eventName = "BatchGetSecretValue", readOnly = true
            userIdentity      = { type = "IAMUser", userName = "carol" }
            requestParameters = { filters = [{ key = "tag-key", values = ["!no-such-tag"] }] }
          })
        },
        {
          name   = "those of a service"
          expect = false
          event = jsonencode({
            eventSource       = "secretsmanager.amazonaws.com", eventName = "BatchGetSecretValue", readOnly = true
            userIdentity      = { type = "IAMUser", userName = "carol" }
            requestParameters = { filters = [{ key = "tag-key", values = ["service"] }] }
          })
        },
        {
          name   = "by a list"
          expect = false
          event = jsonencode({
            eventSource       = "secretsmanager.amazonaws.com", eventName = "BatchGetSecretValue", readOnly = true
            userIdentity      = { type = "IAMUser", userName = "carol" }
            requestParameters = { secretIdList = ["a", "b"] }
          })
        },
      ]
    }

    "parameters-decrypted" = {
      description   = "Parameters were read in the clear: one after the other, that is somebody who collects secrets."
      severity      = "low"
      read_only     = true
      frequent      = true
      event_names   = ["GetParameter", "GetParameters", "GetParametersByPath"]
      event_sources = ["ssm.amazonaws.com"]
      match         = "detail.requestParameters.withDecryption == `true` && !(detail.errorCode)"
      title         = "{{ actor }} read parameters in the clear"
      fields = {
        "Parameter"  = "detail.requestParameters.name"
        "Parameters" = "detail.requestParameters.names"
        "Path"       = "detail.requestParameters.path"
      }
      tests = [
        {
          name   = "in the clear"
          expect = true
          event = jsonencode({
            eventSource       = "ssm.amazonaws.com", eventName = "GetParameters", readOnly = true, userIdentity = { type = "IAMUser", userName = "carol" }
            requestParameters = { names = ["/prod/db"], withDecryption = true }
          })
        },
        {
          name   = "as they are kept"
          expect = false
          event = jsonencode({
            eventSource       = "ssm.amazonaws.com", eventName = "GetParameters", readOnly = true, userIdentity = { type = "IAMUser", userName = "carol" }
            requestParameters = { names = ["/prod/db"], withDecryption = false }
          })
        },
      ]
    }

    # --- Databases ---

    "database-password-changed" = {
      description   = "The master password of a database was changed: whoever did it can read everything in it."
      severity      = "high"
      event_names   = ["ModifyDBInstance", "ModifyDBCluster"]
      event_sources = ["rds.amazonaws.com"]
      # CloudTrail keeps the password out of the record, but not that there was one.
      match = "(detail.requestParameters.masterUserPassword || detail.responseElements.pendingModifiedValues.masterUserPassword) && !(detail.errorCode)"
      title = "{{ actor }} changed a database's master password"
      fields = {
        "Instance" = "detail.requestParameters.dBInstanceIdentifier"
        "Cluster"  = "detail.requestParameters.dBClusterIdentifier"
      }
      tests = [
        {
          name   = "of a cluster"
          expect = true
          event = jsonencode({
            eventSource       = "rds.amazonaws.com", eventName = "ModifyDBCluster", userIdentity = { type = "IAMUser", userName = "carol" }
            requestParameters = { dBClusterIdentifier = "orders", masterUserPassword = "****" }
          })
        },
        {
          name   = "more space"
          expect = false
          event = jsonencode({
            eventSource       = "rds.amazonaws.com", eventName = "ModifyDBInstance", userIdentity = { type = "IAMUser", userName = "carol" }
            requestParameters = { dBInstanceIdentifier = "orders", allocatedStorage = 100 }
          })
        },
      ]
    }

    "database-deletion-protection-off" = {
      description   = "A database can be deleted from now on."
      severity      = "high"
      event_names   = ["ModifyDBInstance", "ModifyDBCluster"]
      event_sources = ["rds.amazonaws.com"]
      match         = "detail.requestParameters.deletionProtection == `false` && !(detail.errorCode)"
      title         = "{{ actor }} took a database's protection from deletion"
      fields = {
        "Instance" = "detail.requestParameters.dBInstanceIdentifier"
        "Cluster"  = "detail.requestParameters.dBClusterIdentifier"
        "Backups"  = "detail.requestParameters.backupRetentionPeriod"
        "Public"   = "detail.requestParameters.publiclyAccessible"
      }
      tests = [
        {
          name   = "of an instance"
          expect = true
          event = jsonencode({
            eventSource       = "rds.amazonaws.com", eventName = "ModifyDBInstance", userIdentity = { type = "IAMUser", userName = "carol" }
            requestParameters = { dBInstanceIdentifier = "orders", deletionProtection = false }
          })
        },
        {
          name   = "a change of something else"
          expect = false
          event = jsonencode({
            eventSource       = "rds.amazonaws.com", eventName = "ModifyDBInstance", userIdentity = { type = "IAMUser", userName = "carol" }
            requestParameters = { dBInstanceIdentifier = "orders", allocatedStorage = 100 }
          })
        },
      ]
    }

    "database-role-added" = {
      description   = "A database was given a role: whoever may query it may do what the role may."
      severity      = "medium"
      event_names   = ["AddRoleToDBInstance", "AddRoleToDBCluster"]
      event_sources = ["rds.amazonaws.com"]
      match         = "!(detail.errorCode)"
      title         = "{{ actor }} gave a database a role"
      fields = {
        "Role"     = "detail.requestParameters.roleArn"
        "For"      = "detail.requestParameters.featureName"
        "Instance" = "detail.requestParameters.dBInstanceIdentifier"
        "Cluster"  = "detail.requestParameters.dBClusterIdentifier"
      }
      tests = [
        {
          name   = "a role is added"
          expect = true
          event = jsonencode({
            eventSource       = "rds.amazonaws.com", eventName = "AddRoleToDBCluster", userIdentity = { type = "IAMUser", userName = "carol" }
            requestParameters = { dBClusterIdentifier = "orders", roleArn = "arn:aws:iam::111122223333:role/export", featureName = "s3Export" }
          })
        },
        {
          name   = "a role is removed"
          expect = false
          event = jsonencode({
            eventSource       = "rds.amazonaws.com", eventName = "RemoveRoleFromDBCluster", userIdentity = { type = "IAMUser", userName = "carol" }
            requestParameters = { dBClusterIdentifier = "orders" }
          })
        },
      ]
    }

    "database-activity-stream-stopped" = {
      description   = "The stream that tells what happens inside a database was stopped."
      severity      = "high"
      event_names   = ["StopActivityStream"]
      event_sources = ["rds.amazonaws.com"]
      match         = "!(detail.errorCode)"
      title         = "{{ actor }} stopped a database's activity stream"
      fields        = { "Database" = "detail.requestParameters.resourceArn" }
      tests = [
        {
          name   = "it is stopped"
          expect = true
          event = jsonencode({
            eventSource       = "rds.amazonaws.com", eventName = "StopActivityStream", userIdentity = { type = "IAMUser", userName = "carol" }
            requestParameters = { resourceArn = "arn:aws:rds:eu-west-1:111122223333:cluster:orders" }
          })
        },
        {
          name   = "an attempt that is denied"
          expect = false
          event = jsonencode({
            eventSource = "rds.amazonaws.com", eventName = "StopActivityStream", errorCode = "AccessDenied", userIdentity = { type = "IAMUser", userName = "carol" }
          })
        },
      ]
    }

    "database-restored-publicly" = {
      description   = "A database was restored from a snapshot and can be reached from the internet."
      severity      = "high"
      event_names   = ["RestoreDBInstanceFromDBSnapshot", "RestoreDBInstanceFromS3", "RestoreDBInstanceToPointInTime"]
      event_sources = ["rds.amazonaws.com"]
      match         = "detail.responseElements.publiclyAccessible == `true` && !(detail.errorCode)"
      title         = "{{ actor }} restored a database that the internet can reach"
      fields        = { "Instance" = "detail.requestParameters.dBInstanceIdentifier", "Snapshot" = "detail.requestParameters.dBSnapshotIdentifier" }
      tests = [
        {
          name   = "it can be reached"
          expect = true
          event = jsonencode({
            eventSource       = "rds.amazonaws.com", eventName = "RestoreDBInstanceToPointInTime", userIdentity = { type = "IAMUser", userName = "carol" }
            requestParameters = { targetDBInstanceIdentifier = "copy" }, responseElements = { publiclyAccessible = true }
          })
        },
        {
          name   = "it can not"
          expect = false
          event = jsonencode({
            eventSource       = "rds.amazonaws.com", eventName = "RestoreDBInstanceFromDBSnapshot", userIdentity = { type = "IAMUser", userName = "carol" }
            requestParameters = { dBInstanceIdentifier = "copy" }, responseElements = { publiclyAccessible = false }
          })
        },
      ]
    }

    "snapshot-made" = {
      description   = "A snapshot of a database was made by hand: a copy that outlives the database and can be given away."
      severity      = "low"
      event_names   = ["CreateDBSnapshot", "CreateDBClusterSnapshot"]
      event_sources = ["rds.amazonaws.com"]
      match         = "(detail.responseElements.snapshotType == 'manual' || detail.responseElements.snapshotType == 'public') && !(detail.errorCode)"
      title         = "{{ actor }} made a snapshot of a database"
      fields = {
        "Snapshot" = "detail.responseElements.dBSnapshotArn || detail.responseElements.dBClusterSnapshotArn"
        "Instance" = "detail.requestParameters.dBInstanceIdentifier"
        "Cluster"  = "detail.requestParameters.dBClusterIdentifier"
      }
      tests = [
        {
          name   = "by hand"
          expect = true
          event = jsonencode({
            eventSource       = "rds.amazonaws.com", eventName = "CreateDBClusterSnapshot", userIdentity = { type = "IAMUser", userName = "carol" }
            requestParameters = { dBClusterIdentifier = "orders" }, responseElements = { snapshotType = "manual" }
          })
        },
        {
          name   = "by a backup plan"
          expect = false
          event = jsonencode({
            eventSource       = "rds.amazonaws.com", eventName = "CreateDBSnapshot", userIdentity = { type = "AssumedRole", invokedBy = "backup.amazonaws.com" }
            requestParameters = { dBInstanceIdentifier = "orders" }, responseElements = { snapshotType = "awsbackup" }
          })
        },
      ]
    }

    "snapshot-copied-from-another-region" = {
      description   = "A snapshot of a database was copied from another region: the data leaves where it is watched."
      severity      = "medium"
      event_names   = ["CopyDBSnapshot", "CopyDBClusterSnapshot"]
      event_sources = ["rds.amazonaws.com"]
      match         = "detail.requestParameters.sourceRegion && detail.requestParameters.sourceRegion != detail.awsRegion && !(detail.errorCode)"
      title         = "{{ actor }} copied a snapshot from {{ detail.requestParameters.sourceRegion }} to {{ region }}"
      fields = {
        "Instance snapshot" = "detail.requestParameters.sourceDBSnapshotIdentifier"
        "Cluster snapshot"  = "detail.requestParameters.sourceDBClusterSnapshotIdentifier"
      }
      tests = [
        {
          name   = "from another region"
          expect = true
          event = jsonencode({
            eventSource       = "rds.amazonaws.com", eventName = "CopyDBSnapshot", awsRegion = "sa-east-1", userIdentity = { type = "IAMUser", userName = "carol" }
            requestParameters = { sourceDBSnapshotIdentifier = "orders", sourceRegion = "eu-west-1" }
          })
        },
        {
          name   = "within the region"
          expect = false
          event = jsonencode({
            eventSource       = "rds.amazonaws.com", eventName = "CopyDBSnapshot", awsRegion = "eu-west-1", userIdentity = { type = "IAMUser", userName = "carol" }
            requestParameters = { sourceDBSnapshotIdentifier = "orders", sourceRegion = "eu-west-1" }
          })
        },
      ]
    }

    "snapshot-deleted" = {
      description   = "A snapshot of a database was deleted: a way back less."
      severity      = "medium"
      event_names   = ["DeleteDBSnapshot", "DeleteDBClusterSnapshot"]
      event_sources = ["rds.amazonaws.com"]
      match         = "!(detail.errorCode)"
      title         = "{{ actor }} deleted a snapshot of a database"
      fields = {
        "Instance snapshot" = "detail.requestParameters.dBSnapshotIdentifier"
        "Cluster snapshot"  = "detail.requestParameters.dBClusterSnapshotIdentifier"
      }
      tests = [
        {
          name   = "it is deleted"
          expect = true
          event = jsonencode({
            eventSource       = "rds.amazonaws.com", eventName = "DeleteDBClusterSnapshot", userIdentity = { type = "IAMUser", userName = "carol" }
            requestParameters = { dBClusterSnapshotIdentifier = "orders-2026" }
          })
        },
        {
          name   = "an attempt that fails"
          expect = false
          event = jsonencode({
            eventSource  = "rds.amazonaws.com", eventName = "DeleteDBSnapshot", errorCode = "DBSnapshotNotFound"
            userIdentity = { type = "IAMUser", userName = "carol" }
          })
        },
      ]
    }

    "foreign-snapshots-listed" = {
      description   = "Snapshots that are public or shared by others were listed: somebody looks for data that others left open."
      severity      = "low"
      read_only     = true
      event_names   = ["DescribeDBSnapshots", "DescribeDBClusterSnapshots"]
      event_sources = ["rds.amazonaws.com"]
      match         = "(detail.requestParameters.includePublic == `true` || detail.requestParameters.includeShared == `true`) && !(detail.errorCode)"
      title         = "{{ actor }} listed the snapshots of others"
      tests = [
        {
          name   = "shared ones"
          expect = true
          event = jsonencode({
            eventSource       = "rds.amazonaws.com", eventName = "DescribeDBClusterSnapshots", readOnly = true
            userIdentity      = { type = "IAMUser", userName = "carol" }
            requestParameters = { includeShared = true }
          })
        },
        {
          name   = "one's own"
          expect = false
          event = jsonencode({
            eventSource       = "rds.amazonaws.com", eventName = "DescribeDBSnapshots", readOnly = true
            userIdentity      = { type = "IAMUser", userName = "carol" }
            requestParameters = { includeShared = false, includePublic = false }
          })
        },
      ]
    }
  }

  # Some clients write `Disabled`, which S3 refuses; the attempt counts.
  unversioned = "(detail.requestParameters.VersioningConfiguration.Status == 'Suspended' || detail.requestParameters.VersioningConfiguration.Status == 'Disabled')"

  # Conditions that say who or from where, in lower case: IAM takes their names in any.
  restricting = "[${join(", ", [
    for key in [
      "aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:principalorgpaths", "aws:sourceaccount", "aws:sourcearn", "aws:sourceip",
      "aws:sourceorgid", "aws:sourceowner", "aws:sourcevpc", "aws:sourcevpce", "aws:userid", "kms:calleraccount", "kms:viaservice",
    ] : "'${key}'"
  ])}]"
}
